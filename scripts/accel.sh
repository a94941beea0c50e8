# shellcheck shell=bash
# Sourced after lib.sh: what ACCEL=auto is on this machine.

# Why there can be no KVM; nothing when there can be.
no_kvm() {
	local dev=${KVM_DEVICE:-/dev/kvm} here
	here=$(uname -m | sed 's/^aarch64$/arm64/')
	if [ "$ARCH" != "$here" ]; then
		echo "the guest is $ARCH, this machine is $here"
	elif [ ! -e "$dev" ]; then
		echo "there is no $dev"
	elif [ ! -w "$dev" ]; then
		echo "$dev is not writable for this user; its group is $(stat -c %G "$dev")"
	fi
}

# What is found holds for this processor, kernel and QEMU.
accel_file() {
	echo "$CACHE/accel/$ARCH-$({ uname -nr; grep -m1 '^model name' /proc/cpuinfo; cat "$BUILD/qemu-dir"; } 2>/dev/null | sha256sum | cut -c1-12)"
}

# accel_auto COMMAND...: ACCEL=auto (or probe, which looks again) -> ACCEL=kvm or tcg.
# KVM may be there and of no use: in a virtual machine, or where the processor lacks what
# the guest takes. So a guest has to come to its end in it first: that is COMMAND. Its
# status is 1 if the kernel itself may be to blame, which is not remembered.
accel_auto() {
	local want=$ACCEL file why log=$LOGS/accel.log t0=$SECONDS
	why=$(no_kvm)
	if [ -n "$why" ]; then
		ACCEL=tcg
		say "ACCEL=auto: tcg, since $why"
		return 0
	fi
	cache_lock accel
	file=$(accel_file)
	if [ "$want" = auto ] && [ -s "$file" ]; then
		read -r ACCEL why <"$file"
		say "ACCEL=auto: $ACCEL, as found before: $why (ACCEL=probe looks again)"
	else
		say "ACCEL=auto: a short run shows whether KVM is of use, log ${log#"$TOP"/}"
		attempt "$@" >"$log" 2>&1 </dev/null
		why="a run in KVM did not come to a good end"
		case $RC in
		0) ACCEL=kvm why="a run in KVM came to its end in $((SECONDS - t0)) s" ;;
		1) ACCEL=tcg why+="; the kernel itself may be to blame, so the next run looks again" ;;
		*) ACCEL=tcg ;;
		esac
		mkdir -p "${file%/*}"
		rm -f "$file"
		[ "$RC" -eq 1 ] || echo "$ACCEL $why" >"$file"
		say "ACCEL=auto: $ACCEL: $why"
	fi
	exec 9>&-
}
