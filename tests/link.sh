#!/usr/bin/env bash
# The modular heaps must link on architectures that no guest runs: a small kernel
# with them is built for each, so that modpost sees what is exported there.
. "$(dirname "$0")/lib.sh"

"$TOP/scripts/root"
"$TOP/scripts/tree" linux
link() { # ARCH COMPILER MODULE...
	local arch=$1 cross=$2 obj=$BUILD/obj/link-$1 m
	shift 2
	mkdir -p "$obj"
	# shellcheck disable=SC2030,SC2031
	export ARCH=$arch CROSS=$cross
	if [ ! -e "$obj/.config" ] || ! cmp -s "$obj/fragment" "$TOP/tests/link/$arch"; then
		rm -f "$obj/.config"
		cp "$TOP/tests/link/$arch" "$obj/fragment"
		kmake "$BUILD/linux" "$obj" tinyconfig
		cat "$obj/fragment" >>"$obj/.config"
	fi
	kmake "$BUILD/linux" "$obj" olddefconfig
	check_config "$obj/fragment" "$obj/.config"
	kmake "$BUILD/linux" "$obj" vmlinux modules
	for m; do
		[ -f "$obj/drivers/dma-buf/heaps/$m.ko" ] || { say "no $m.ko"; return 1; }
	done
}
try() {
	local rc=0
	( stage "link: $1" link "$@" ) || rc=$?
	result $rc "heap modules link on $1"
}
try arm arm-linux-gnueabihf- system_heap cma_heap
try s390 s390x-linux-gnu- system_heap cma_heap
try powerpc powerpc64-linux-gnu- system_heap
done_testing
