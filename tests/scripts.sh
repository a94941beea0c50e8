#!/usr/bin/env bash
# The bench's scripts, given what they should refuse. No guest.
. "$(dirname "$0")/lib.sh"

# On the same cache. With spaces, as in its cache.
repo="$TMP/a repo" cache="$TMP/a cache"
copy_repo "$repo"

# A cache that holds the build root and nothing else.
empty_cache() {
	rm -rf "$cache"
	mkdir -p "$cache/dmabuf-series/base"
	ln -s "$ROOT" "$cache/dmabuf-series/"
}
with_cache() { env XDG_CACHE_HOME="$cache" "$@"; }

cd "$repo"
expect "unknown target" 2 "no target 'nonsense'; see 'make help'" make nonsense
expect "unknown variable" 2 "no variable 'ARHC'" make tree ARHC=arm64
expect "unknown ARCH" 2 "ARCH=mips: must be" make kselftest ARCH=mips
expect "JOBS that is no number" 2 "JOBS=many: must be a number" make tree JOBS=many
expect "unknown WALL" 2 "WALL=2: must be" make bench WALL=2
printf '# text\na\t100\tinstructions\nb\t8\tbytes\nc\t1\tinstructions\na\t9\tns\n' >"$TMP/base.tsv"
printf 'a\t50\tinstructions\nb\t8\tbytes\na\t3\tns\n' >"$TMP/patched.tsv"
expect "table" 0 "^a +100 +50 +0\.500 +2 +9 +3 +3$" bench/table "$TMP/base.tsv" "$TMP/patched.tsv"
expect "table: units, and no wall time" 0 "^b \(bytes\) +8 +8 +1\.000 +1 +- +- +-$" bench/table "$TMP/base.tsv" "$TMP/patched.tsv"
expect "table: only on the base" 0 "^c +1 +- +- +-" bench/table "$TMP/base.tsv" "$TMP/patched.tsv"
printf 'a\t9\tns\na\t50\tinstructions\na\t51\tinstructions\n' >"$TMP/patched.tsv"
expect "table: a figure twice" 1 "'a' is there twice" bench/table "$TMP/base.tsv" "$TMP/patched.tsv"
expect "lint of something else" 1 "lint nonsense: must be 'text' or nothing" scripts/lint nonsense
expect "lint of texts" 0 "^ok Fixes tags" scripts/lint text
p=$(echo series/linux-7.3/dma-buf-heaps-modules/0001-*.patch)
with_tag() { # TAG: lint of a patch that has it
	local rc=0
	cp "$p" "$TMP/p"
	sed -i "0,/^---\$/s//$1\n---/" "$p"
	scripts/lint text || rc=$?
	cp "$TMP/p" "$p"
	return "$rc"
}
expect "Fixes: with an id" 0 "^ok Fixes tags" with_tag 'Fixes: 0123456789ab ("x: y")'
expect "Fixes: without an id yet" 0 "^ok Fixes tags" with_tag 'Fixes: ? ("x: y")'
for tag in 'Fixes: 0123456 ("x: y")' 'Fixes: ?' 'Fixes: 0123456789ab (x: y)' 'fixes: 0123456789ab ("x: y")'; do
	expect "bad tag, $tag" 1 "^not ok Fixes tags" with_tag "$tag"
done

# The table of README.md: topics, and how many patches they have on each base.
have() {
	local t n b
	for t in $(cd series && printf '%s\n' linux-*/*/ | cut -d/ -f2 | sort -u); do
		n=''
		for b in linux-7.3 linux-7.1; do n+=" $({ find "series/$b/$t" -name "*.patch" 2>/dev/null || true; } | wc -l)"; done
		echo "$t$n"
	done
}
is "README.md has all topics, with their patches" diff <(have) \
	<(sed -nE 's/^\| `([a-z0-9-]+)` \| ([0-9]+|-)[^|]* \| ([0-9]+|-)[^|]* \|.*/\1 \2 \3/p' README.md | sed 's/ -/ 0/g' | sort)

# What topics are called, what they add and what is run for them is in data, not there. (An
# IOMMU is part of the machine, too.)
known() {
	{ sed 's/#.*//' series/*/order | awk '{ print $1 }'
	  printf '%s\n' examples/*.c bench/*.c guest/modules/*/ | sed 's,/$,,; s,.*/,,; s,\.c$,,'
	  sed -n 's/^-device \([a-z0-9-]*\).*/\1/p' guest/devices | grep -vx pcie-root-port
	  sed 's/#.*//' guest/kselftests | grep -vx iommu
	  sed '/^#/d' tests/plan | awk -F' *\\| *' '$5 != "-" { print $5 }'; } | sed '/^$/d' | sort -u
}
known >"$TMP/known"
for name in vfio-pci-dmabuf heap-vmap own-mmap edu-plus dmabuf-heaps igb; do
	is "scripts/ must not know: $name" grep -x -e "$name" "$TMP/known"
done
isnt "scripts/ knows none of all that" grep -rnwFf "$TMP/known" scripts

# Figures in cover letters.
letter=series/linux-7.3/dma-buf-heaps-vmap/0000-cover-letter.txt row='vmap first, order 8, 32400K'
results=bench/results/$(sed -n 's/^Figures from heap-vmap on \([^:]*\):.*/\1/p' "$letter")
lint_with() { # FILE SED: lint with the file edited, or moved away where there is no SED
	local rc=0
	mv "$1" "$TMP/was"
	[ -z "$2" ] || sed "$2" "$TMP/was" >"$1"
	scripts/lint text || rc=$?
	mv "$TMP/was" "$1"
	return "$rc"
}
figures() { # NAME MESSAGE FILE SED
	expect "figures: $1" 1 "^# $letter:[0-9]+: $2" lint_with "$3" "$4"
	is "figures: $1, and lint says so" grep '^not ok figures' "$TMP/out"
}
expect "figures that are right" 0 "^ok figures" scripts/lint text
figures "changed in the letter" "stale: '$row' is [0-9. ]+$" "$letter" "s/^\(  $row .*\)[0-8]$/\19/; s/^\(  $row .*\)\.[0-9]/\1/"
figures "changed in the results" "stale: '$row' is [0-9]+ 7 [0-9]+$" "$results/heap-vmap.patched.tsv" "s/^\($row.\)[0-9]*\(.instructions\)/\17\2/"
figures "no results" "no $results/heap-vmap\.patched\.tsv: run 'make bench BASE=${results##*/}'" "$results/heap-vmap.patched.tsv" ''
figures "no result of that name" "no result is called 'vmap first, order 7, 32400K'" "$letter" "s/^  $row/  vmap first, order 7, 32400K/"
figures "no heading" "figures that are from no results: $row" "$letter" '/^Figures from heap-vmap on/d'
figures "bad heading" "must be 'Figures from <program> on <base>:'" "$letter" 's/^Figures from heap-vmap on/& the/'
figures "unknown column" "no column 'fewest'" "$letter" 's/^\(Figures .*\)fewer/\1fewest/'
figures "no rows" "a table without rows" "$letter" '/^Figures from heap-vmap on/G'
cp -rn "$results" bench/results/linux-7.3
figures "the letter's own base has results" "there are results of linux-7\.3 by now" "$letter" 's/^\(Figures from heap-vmap on\) [^:]*/\1 linux-7.1/'

expect "unknown tree" 1 "no tree 'bsd'" scripts/tree bsd
expect "unknown BASE" 2 "BASE=linux-1.0: must be one of linux-7.1 linux-7.3" make tree BASE=linux-1.0
expect "SERIES without KERNEL" 2 "SERIES goes with KERNEL" make tree SERIES=none
expect "port to the same base" 2 "FROM and TO are the same base" make port TOPIC=x FROM=linux-7.1 TO=linux-7.1
expect "range-diff of a base that is not there" 2 "no base 'linux-1.0'" make range-diff TOPIC=x FROM=linux-1.0 TO=linux-7.1
expect "unknown base" 1 "no base 'linux-1.0'" scripts/fetch linux-1.0
expect "KERNEL that is empty" 2 "KERNEL is empty" make tree KERNEL=
expect "KERNEL that is no kernel" 2 "not a kernel tree" make tree KERNEL="$TMP"
mkdir "$TMP/kernel"
printf 'VERSION = 2\nPATCHLEVEL = 6\nSUBLEVEL = 39\nNAME = x\n' >"$TMP/kernel/Makefile"
: >"$TMP/kernel/Kbuild"
expect "KERNEL of another version" 2 "is version 2.6.39; the topics are for 7\.1" make tree KERNEL="$TMP/kernel"
expect "mutants of KERNEL" 2 "mutants are of series/, not of KERNEL" make mutants KERNEL="$TMP/kernel"

# ACCEL=auto, with a device and a run that are fakes.
accel() { # WANTED STATUS [VARIABLE=VALUE]...: STATUS is that of the run in KVM
	# shellcheck disable=SC2016
	env XDG_CACHE_HOME="$TMP/its cache" ACCEL="$1" KVM_DEVICE="$TMP/kvm" ARCH="$here" "${@:3}" bash -c '
		. scripts/lib.sh; . scripts/accel.sh
		run_in_kvm() { echo ran >>"$1"; return "$2"; }
		accel_auto run_in_kvm "$@"; echo "taken: $ACCEL"' x "$TMP/ran" "$2"
}
ran() { [ "$(wc -l <"$TMP/ran")" = "$1" ]; }
here=$(uname -m | sed 's/^aarch64$/arm64/')
: >"$TMP/ran"
expect "ACCEL=auto without KVM" 0 "^ACCEL=auto: tcg, since there is no $TMP/kvm$" accel auto 0
: >"$TMP/kvm"
other=arm64
[ "$here" = x86_64 ] || other=x86_64
expect "ACCEL=auto with a guest of another machine" 0 "^ACCEL=auto: tcg, since the guest is $other, this machine is" accel auto 0 ARCH=$other
# Root may write to what nobody may, but not where all is read-only.
mine=-m
[ "$(id -u)" -eq 0 ] || mine=-rm
export -f accel
# shellcheck disable=SC2016
expect "ACCEL=auto with KVM that may not be used" 0 "^ACCEL=auto: tcg, since $TMP/ro/kvm is not writable for this user" \
	env TMP="$TMP" here="$here" unshare $mine bash -c 'mkdir "$TMP/ro"; mount -t tmpfs none "$TMP/ro"; : >"$TMP/ro/kvm"
		mount -o remount,ro "$TMP/ro"; accel auto 0 KVM_DEVICE="$TMP/ro/kvm"'
is "ACCEL=auto runs nothing then" ran 0
: >"$TMP/kvm"
expect "ACCEL=auto, a run in KVM that does not end well" 0 "^taken: tcg$" accel auto 3
expect "ACCEL=auto remembers it" 0 "^ACCEL=auto: tcg, as found before: .*not come to a good end .*ACCEL=probe looks again" accel auto 0
is "ACCEL=auto has run one" ran 1
expect "ACCEL=probe looks again" 0 "^ACCEL=auto: kvm: a run in KVM came to its end in [0-9]+ s$" accel probe 0
expect "ACCEL=auto remembers that, too" 0 "^taken: kvm$" accel auto 3
is "ACCEL=probe has run one more" ran 2
expect "ACCEL=probe, a kernel that reports something" 0 "^ACCEL=auto: tcg: .*the kernel itself may be to blame" accel probe 1
expect "ACCEL=auto does not remember that" 0 "^taken: kvm$" accel auto 0
is "ACCEL=auto has run it again" ran 4
mkdir "$TMP/bin"
# shellcheck disable=SC2016
printf '#!/bin/sh\n[ "$1" = -m ] || exec echo vm 1.0\nexec /bin/uname -m\n' >"$TMP/bin/uname"
chmod +x "$TMP/bin/uname"
expect "ACCEL=auto looks again on another kernel of the host" 0 "^taken: tcg$" accel auto 3 PATH="$TMP/bin:$PATH"
expect "unknown ACCEL" 3 "ACCEL=hvf: must be auto, tcg, kvm" env ACCEL=hvf "$TOP/scripts/run" kselftest

# Runs of a guest that is a fake.
fake="$TMP/a fake"
fake_repo "$fake"
# shellcheck disable=SC2120
fake_run() { # [VARIABLE=VALUE]...
	env ARCH=x86_64 ACCEL=tcg XDG_CACHE_HOME="$TMP/its cache" "$@" "$fake/scripts/run" tap "$TMP/job"
}
echo 'echo 1..0' >"$TMP/job"
out=$fake/build/run/linux-7.3/tap-x86_64-debug
expect "run" 0 "^1 passed, 0 failed" fake_run
isnt "run: no share, and no gdb" grep -E 'share|gdb' "$out/args"
is "run: limits that fit TCG" grep 'rcu_cpu_stall_timeout=100 .*hung_task_timeout_secs=300' "$out/args"
expect "QEMU_ARGS" 0 "^1 passed" fake_run QEMU_ARGS="-device x -name 'a b'"
is "QEMU_ARGS: are there, as words" grep -x 'a b' "$out/args"
is "QEMU_ARGS: are in the manifest" grep "^command: .* -device x -name 'a b'$" "$out/manifest"
expect "QEMU_ARGS with an open quote" 3 "^error: QEMU_ARGS: a quote has no end" fake_run QEMU_ARGS="-name 'a"
mkdir "$TMP/a share"
echo 'from the host' >"$TMP/a share/file"
echo 'cd /tmp; mkdir x; echo "from the guest" >x/new; tar -C x -cf /out/share.tar .' >"$fake/guest/does"
expect "SHARE" 0 "^what the guest had in /share at its end: build/run/" fake_run SHARE="$TMP/a share"
is "SHARE: the guest gets it" grep -a 'from the host' <(zcat "$out/initrd")
is "SHARE: what the guest has at its end" grep -x 'from the guest' "$out/share/new"
isnt "SHARE: is not written to" test -e "$TMP/a share/new"
: >"$fake/guest/does"
expect "SHARE that is not there" 3 "^error: SHARE: no folder '$TMP/none'" fake_run SHARE="$TMP/none"
echo 'sleep 2' >"$fake/guest/does"
expect "GDB=1" 0 "gdb .*'set substitute-path /src .*/build/linux-7.3'.* 'target remote 127.0.0.1:1234' '.*/x86_64-debug-gdb/vmlinux'$" \
	fake_run GDB=1 TIMEOUT=1 SILENCE=1
is "GDB=1: no limit of time" grep -x '1 passed, 0 failed, 0 skipped' "$TMP/out"
is "GDB=1: the guest waits" grep -x -e -S "${out}-gdb/args"
: >"$fake/guest/does"
expect "GDB=<port>" 0 "target remote 127.0.0.1:4321" fake_run GDB=4321
is "GDB=<port>: QEMU has it" grep -x tcp:127.0.0.1:4321 "${out}-gdb/args"
expect "GDB that is no number" 3 "^error: GDB=yes: must be 1" fake_run GDB=yes
echo '# CONFIG_X is not set' >"$TMP/my-own.config"
expect "CONFIG with a path" 0 "^tap, linux-7.3, x86_64-debug-my_own.config.[0-9a-f]{8}: " fake_run CONFIG="debug $TMP/my-own.config"
expect "CONFIG with a path that is not there" 3 "^error: CONFIG: no file '$TMP/none'" fake_run CONFIG="debug $TMP/none"
expect "CONFIG with a name that is not there" 3 "^error: CONFIG: no fragment guest/config/none; there are: .*debug" fake_run CONFIG=none
: >"$TMP/kvm"
expect "ACCEL=auto: a guest that gets to its end" 0 "^ACCEL=auto: kvm: " fake_run ACCEL=probe KVM_DEVICE="$TMP/kvm"
is "ACCEL=auto: it is in KVM then" grep -x kvm "$out/args"
isnt "ACCEL=auto: with the limits of the kernel" grep 'rcu_cpu_stall_timeout' "$out/args"
echo 'case "$*" in *"-accel kvm"*) echo "Oops: 0000" >/out/probe/console.log; exit 1 ;; esac' >"$fake/guest/does"
expect "ACCEL=auto: a guest that oopses in KVM" 0 "^ACCEL=auto: tcg: .*the kernel itself may be" fake_run ACCEL=probe KVM_DEVICE="$TMP/kvm"
is "ACCEL=auto: it is in TCG then" grep -x tcg,thread=multi "$out/args"
echo 'case "$*" in *"-accel kvm"*) exit 1 ;; esac' >"$fake/guest/does"
expect "ACCEL=auto: a QEMU that fails with KVM" 0 "^1 passed" fake_run ACCEL=probe KVM_DEVICE="$TMP/kvm"
is "ACCEL=auto: that is remembered" grep "^tcg " -r "$TMP/its cache/dmabuf-series/accel"

# Two terminals. The first is not disturbed.
cat >"$fake/guest/does" <<'D'
: >/out/begun
while [ ! -e /out/go ]; do sleep 0.1; done
cat "$(printf '%s\n' "$@" | sed -n '/^-kernel$/ { n; p; }')" >/out/seen
D
# shellcheck disable=SC2119
fake_run >"$TMP/first" 2>&1 &
first=$!
for _ in $(seq 300); do
	[ ! -e "$out/begun" ] || break
	sleep 0.1
done
: >"$fake/guest/does"
expect "a second run" 0 "^tap-x86_64-debug is running elsewhere: this run's files are in build/run/" fake_run
is "a second run is not the first one's" grep '1 passed' "$TMP/out"
: >"$out/go"
rc=0; wait $first || rc=$?
is "the first run comes to its end" test $rc = 0
is "the first run has its kernel" grep kernel "$out/seen"
is "no folder is left of either" test -z "$(find "$fake/build/run" -name 'boot.*')"

# Odd places.
# shellcheck disable=SC2016
expect "an old bash" 1 "^error: this takes bash 4.4 or newer; this shell is 4.3.48" bash -c 'BASH_VERSION="4.3.48(1)-release"; . scripts/lib.sh'
expect "another shell" 3 "^error: this takes bash 4.4 or newer; this shell is another one" dash scripts/run
expect "CDPATH" 1 "no tree 'bsd'" env CDPATH="$TMP/a fake:." bash scripts/tree bsd
mkdir "$TMP/auto"
git --git-dir="$TMP/auto/git" --work-tree="$repo" init -q
git --git-dir="$TMP/auto/git" --work-tree="$repo" add -A
git --git-dir="$TMP/auto/git" --work-tree="$repo" -c user.name=x -c user.email=x@localhost commit -qm x
is "a clone with autocrlf" git -c core.autocrlf=true clone -q "$TMP/auto/git" "$TMP/auto/clone"
is "a clone with autocrlf has what was committed" diff -rq --exclude=.git --exclude=build "$repo" "$TMP/auto/clone"

# Namespaces, as the sysctls of the machine have it.
mkdir -p "$TMP/no" "$TMP/sys/kernel" "$TMP/sys/user"
printf '#!/bin/sh\necho "bwrap: setting up uid map: Permission denied" >&2\nexit 1\n' >"$TMP/no/bwrap"
chmod +x "$TMP/no/bwrap"
no_bwrap() { env -u SANDBOX_WORKS PATH="$TMP/no:$PATH" PROC_SYS="$TMP/sys" scripts/host-tools; }
expect "no namespaces" 1 "^in a container, it has to be a privileged one" no_bwrap
is "no namespaces: what bubblewrap says" grep 'does not work here: bwrap: setting up uid map: Permission denied$' "$TMP/out"
echo 0 >"$TMP/sys/kernel/unprivileged_userns_clone"
expect "namespaces that a sysctl forbids" 1 "as root: sysctl kernel.unprivileged_userns_clone=1$" no_bwrap
echo 1 >"$TMP/sys/kernel/unprivileged_userns_clone"
echo 0 >"$TMP/sys/user/max_user_namespaces"
expect "namespaces of which there may be none" 1 "as root: sysctl user.max_user_namespaces=" no_bwrap
echo 9 >"$TMP/sys/user/max_user_namespaces"
echo 1 >"$TMP/sys/kernel/apparmor_restrict_unprivileged_userns"
expect "namespaces that AppArmor forbids" 1 "sysctl kernel.apparmor_restrict_unprivileged_userns=0$" no_bwrap
is "namespaces that AppArmor forbids: the profile" grep "profile bwrap $TMP/no/bwrap flags=(unconfined) { userns, }" "$TMP/out"

mkdir "$TMP/all-but"
ln -s /usr/bin/* "$TMP/all-but/"
rm "$TMP/all-but/bwrap"
expect "no bubblewrap, and a build root from elsewhere" 1 "^error: missing on this machine: bubblewrap; scripts/host-tools " \
	env -u SANDBOX_WORKS PATH="$TMP/all-but" bash -c '. scripts/lib.sh; sandbox_works'

# Little room: a df that is a fake.
mkdir "$TMP/full"
printf '#!/bin/sh\necho Avail; echo 1500000\n' >"$TMP/full/df"
chmod +x "$TMP/full/df"
little_room() { PATH="$TMP/full:$PATH" "$@"; }
empty_cache
rm "$cache/dmabuf-series/root-"*
expect "no room for the build root" 1 "^error: the build root takes about 5 GB, and 1 GB are free on the disk of $cache/" \
	little_room with_cache scripts/root
expect "no room for make check" 2 "^error: make check takes about 12 GB, and 1 GB are free" little_room make check
isnt "no room for make check: nothing is begun" test -e build/check.results

mkdir "$TMP/large"
sed 's/1500000/99000000/' "$TMP/full/df" >"$TMP/large/df"
chmod +x "$TMP/large/df"

# Temporary files.
mkdir "$TMP/tmp"
# shellcheck disable=SC2016
work_tmp_on() { # MOUNT-OPTIONS
	env TMPDIR="$TMP/tmp" opts="$1" unshare "$mine" bash -c 'mount -t tmpfs -o "$opts" none "$TMPDIR"
		. scripts/lib.sh; echo "taken: $(work_tmp 1)"'
}
expect "TMPDIR" 0 "^taken: $TMP/tmp$" work_tmp_on size=3g
expect "TMPDIR that is small" 0 "^taken: /tmp$" work_tmp_on size=500m
expect "TMPDIR without programs" 0 "^taken: /tmp$" work_tmp_on size=3g,noexec
expect "TMPDIR that is not there" 0 "^taken: /tmp$" env TMPDIR="$TMP/none" bash -c '. scripts/lib.sh; echo "taken: $(work_tmp 1)"'
expect "no folder for temporary files" 1 "^error: no folder for temporary files: TMPDIR=$TMP/tmp, " little_room env TMPDIR="$TMP/tmp" \
	bash -c '. scripts/lib.sh; work_tmp 2'

# What users have in their shell for kernels of their own.
cat >"$fake/scripts/show" <<'S'
#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
sandbox() { printf '%s\n' "$@"; }
say "ok $BASE $ARCH $CONFIG ${T:-} ${KERNEL:-} $(kmake /a /b x | xargs)"
S
chmod +x "$fake/scripts/show"
printf 'root|-|-|-|-|1|a row|echo ok a\nsetup|linux-7.3|x86_64|debug|-|1|what is built|scripts/show\n' >"$fake/tests/plan"
# shellcheck disable=SC2120
theirs() { env XDG_CACHE_HOME="$TMP/its cache" PATH="$TMP/large:$PATH" "$@" make -C "$fake" check; }
# shellcheck disable=SC2119
theirs >"$TMP/clean" 2>&1 || true
expect "make check with what users have in their shell" 0 "^ok linux-7.3 x86_64 debug " theirs ARCH=powerpc CROSS_COMPILE=powerpc- CROSS=x- LLVM=1 \
	T=none CONFIG=none KERNEL=/none BASE=none KCONFIG_ALLCONFIG=x AT=x/1 PATCHED=0 GDB=1 V=1
is "make check is the same as without" diff <(grep '^ok linux' "$TMP/clean") <(grep '^ok linux' "$TMP/out")

# A user's own tree, small, without topics: what is copied is what is there now.
k=$TMP/own\ kernel
mkdir "$k" "$TMP/home"
printf 'VERSION = 7\nPATCHLEVEL = 9\nSUBLEVEL = 0\nEXTRAVERSION = -rc1\nNAME = x\n' >"$k/Makefile"
echo a >"$k/Kbuild"
printf '*.o\nlisted\n' >"$k/.gitignore"
echo object >"$k/x.o"
own() { KERNEL=${1:-$k} SERIES=none scripts/tree "$(own_name "${1:-$k}")"; }
own_name() { echo "kernel-$(realpath "$1" | sha256sum | cut -c1-8)"; }
copy=build/$(own_name "$k")
# Nothing is written there: names, times and content stay.
seen() { find "$1" -printf '%p %T@ %C@ %s\n' | sort; }
seen "$k" >"$TMP/before"
expect "own tree, not git's" 0 "tree build/kernel-" own
is "own tree: nothing is written there" cmp "$TMP/before" <(seen "$k")
is "own tree: what .gitignore names is left out" test ! -e "$copy/x.o" -a -e "$copy/Kbuild"
is "own tree: its version" grep -q "own tree 7.9.0-rc1" <(git -C "$copy" log -1 --format=%s)
echo b >"$k/Kbuild"
echo new >"$k/new.c"
expect "own tree, edited" 0 "tree build/kernel-" own
is "own tree, edited: the edit is there" grep -qx b "$copy/Kbuild"
is "own tree, edited: a new file is there" test -e "$copy/new.c"
rm "$k/new.c"
is "own tree: a removed file" own
isnt "own tree: a removed file is gone" test -e "$copy/new.c"
mygit() { HOME=$TMP/home git -c user.name=x -c user.email=x@localhost -C "$k" "$@"; }
mygit init -q
echo listed >"$k/listed"
mygit add -A
mygit add -f listed
mygit commit -qm x
echo c >>"$k/Kbuild"
is "own tree, git's, not committed" own
is "own tree, git's: the edit is there" grep -qx c "$copy/Kbuild"
is "own tree, git's: a file that is tracked though ignored" test -e "$copy/listed"
mygit rm -q --cached listed
rm "$k/listed"
is "own tree, git's: git rm" own
isnt "own tree, git's: git rm takes the file away" test -e "$copy/listed"
seen "$k/.git" >"$TMP/before"
is "own tree, git's, again" own
is "own tree, git's: nothing is written there" cmp "$TMP/before" <(seen "$k/.git")
mygit worktree add -q "$TMP/wt"
git clone -q --depth 1 "file://$k" "$TMP/shallow"
is "own tree: a worktree" own "$TMP/wt"
is "own tree: a shallow clone" own "$TMP/shallow"
if [ "$(id -u)" -eq 0 ]; then
	chown -R 65534 "$TMP/wt" "$k"
	is "own tree: of another user" own "$TMP/wt"
	is "own tree: of another user, not committed" own
else
	skip "own tree: of another user" "takes root to give it away"
	skip "own tree: of another user, not committed" "takes root to give it away"
fi
mv "$TMP/shallow" "$TMP/home/linux"
expect "own tree: ~" 0 "tree build/kernel-" env HOME="$TMP/home" XDG_CACHE_HOME="${XDG_CACHE_HOME:-$HOME/.cache}" \
	KERNEL='~/linux' SERIES=none scripts/tree "$(own_name "$TMP/home/linux")"
echo mine >"$copy/mine"
echo d >>"$k/Kbuild"
expect "own tree: work in the copy is not lost" 1 "holds work: uncommitted changes or new files" own
rm "$copy/mine"
expect "own tree: unknown topic" 1 "no topic 'nonsense' for linux-7.3; there are:" env KERNEL="$k" SERIES=nonsense scripts/tree "$(own_name "$k")"
expect "export does not take it" 1 "is not exported" env KERNEL="$k" scripts/export

# A dry run of 'make port': a small topic on a small tree.
k=$TMP/newer small=series/linux-7.3/small
mkdir "$k" "$small"
cp series/linux-7.3/order "$TMP/order"
echo small >series/linux-7.3/order
printf 'VERSION = 7\nPATCHLEVEL = 9\nSUBLEVEL = 0\nNAME = x\n' >"$k/Makefile"
: >"$k/Kbuild"
seq 20 | tee "$k/a.c" >"$k/b.c"
mygit init -q
save() { mygit add -A; mygit commit -qm "$1"; mygit tag "$1"; }
save base
sed -i 's/^10$/ten/' "$k/a.c"; save one
sed -i 's/^10$/ten/' "$k/b.c"; sed -i 's/^20$/twenty/' "$k/a.c"; save two
echo new >"$k/c.c"; save three
mygit format-patch -q -o "$repo/$small" base
cover() { # FOLDER
	printf '%s\n' 'From: a <a@example>' 'Date: Thu, 1 Jan 2026 00:00:00 +0000' 'Subject: [PATCH 0/3] x' '' 'X.' '---' >"$1/0000-cover-letter.txt"
}
cover "$small"
dry() { make -s port KERNEL="$k" TOPIC=small "$@"; }
port() { # NAME STATUS APPLY THERE CONFLICT
	seen "$k" >"$TMP/before"
	find build -mindepth 1 -maxdepth 1 | sort >"$TMP/places"
	expect "dry port: $1" "$2" "^small: of 3 patches for linux-7.3, $3 would apply, $4 there already, $5 in conflict$" dry
	is "dry port: $1: KERNEL is as it was" cmp "$TMP/before" <(seen "$k")
	is "dry port: $1: so is build/" cmp "$TMP/places" <(find build -mindepth 1 -maxdepth 1 | sort)
}
dry TOPIC=small >/dev/null 2>&1
port "all is there" 0 0 3 0
mygit checkout -q base
port "all applies" 0 3 0 0
isnt "dry port: all applies: that is all it says" grep -E 'there already:|conflict:|tried without' "$TMP/out"
mygit cherry-pick two >/dev/null
sed -i 1d "$k/a.c"
port "one in the middle is there, one moved" 0 2 1 0
is "dry port: it names the one" grep -qx '    there already: 0002-two.patch' "$TMP/out"
mygit checkout -q -f base
sed -i 's/^8$/eight/' "$k/a.c"
port "a merge" 0 3 0 0
copy=build/$(own_name "$k")
expect "own tree: a merge" 0 "^tree " env KERNEL="$k" SERIES=small scripts/tree "$(own_name "$k")"
is "own tree: a merge: the edit and the patches are there" [ "$(sed -n '8p; 10p; 20p' "$copy/a.c" | xargs) $(cat "$copy/c.c")" = "eight ten twenty new" ]
is "own tree: a merge: with their messages" [ "$(git -C "$copy" log -3 --format=%s | xargs)" = "three two one" ]
rm -rf "$copy"
mygit checkout -q -f one
sed -i 's/^10$/zehn/' "$k/b.c"
echo old >"$k/c.c"
port "conflicts" 2 0 1 2
series() { KERNEL=$k SERIES=$1 scripts/tree "$(own_name "$k")"; }
expect "own tree: conflicts" 1 "small/0002-two.patch conflicts with KERNEL=.*: b.c$" series small
is "own tree: conflicts: what is missing there" grep -xF "    git -C $k am -3 $TMP/a\\ repo/$small/{0002,0003}-*.patch" "$TMP/out"
is "own tree: conflicts: what to ask for then" grep -F 'leave it out: SERIES="small -small".' "$TMP/out"
rm -rf "$copy"
port "conflicts, again" 2 0 1 2
is "dry port: conflicts: one is there" grep -qx '    there already: 0001-one.patch' "$TMP/out"
is "dry port: conflicts: an edit" grep -qx '    conflict: 0002-two.patch: b.c' "$TMP/out"
is "dry port: conflicts: a file that is there" grep -qx '    conflict: 0003-three.patch: c.c' "$TMP/out"
# A topic behind it, which has changed the same lines.
later=series/linux-7.3/later
mygit checkout -q -f three
sed -i 's/^ten$/TEN/' "$k/a.c"; save four
mygit format-patch -q -o "$repo/$later" three
cover "$later"
echo 'later small' >>series/linux-7.3/order
port "all is there, with a later topic on top" 0 0 3 0
expect "own tree: with a later topic on top" 0 "^in the tree already: $small/0001-one.patch$" series small
is "own tree: with a later topic on top: nothing is applied" [ "$(git -C "$copy" rev-list --count base..)" = 1 ]
mygit checkout -q -f three
expect "own tree: what a topic needs is there" 0 "^in the tree already: $small/0003-three.patch$" series later
is "own tree: what a topic needs is there: the topic is applied" [ "$(git -C "$copy" log --format=%s base.. | xargs)" = "four x x" ]
sed -i 's/^8$/eight/' "$k/a.c"; sed -i 's/^ten$/dix/' "$k/b.c"
expect "own tree: what a topic needs is there otherwise" 1 "$small/0001-one.patch conflicts|$small/0002-two.patch conflicts" series later
expect "own tree: a topic left out" 0 "^tree " series "later -small"
is "own tree: a topic left out: the other one is applied" [ "$(git -C "$copy" log --format=%s base.. | xargs)" = "four x" ]
is "own tree: all but a topic" series -small
is "own tree: all but a topic: they are applied" [ "$(git -C "$copy" log --format=%s base.. | xargs)" = "four x" ]
expect "own tree: an unknown topic left out" 1 "no topic 'nonsense' for linux-7.3; there are: small later, or none" series -nonsense
isnt "own tree: an unknown topic: that is all it says" grep 'failed with status' "$TMP/out"
rm -rf "$copy"

# A merge of a patch that is for what the one before it made of a file of the base.
middle=series/linux-7.3/middle
base=$(printf '%s\n' "$CACHE"/base/linux-7.3-*.git | head -n1)
mygit checkout -q -f base
git --git-dir="$base" show main:Kbuild >"$k/Kbuild"; save upstream
sed -i '10s/^/# one /' "$k/Kbuild"; save five
sed -i '12s/^/# two /' "$k/Kbuild"; save six
mygit format-patch -q -o "$repo/$middle" upstream
cover "$middle"
echo middle >series/linux-7.3/order
mygit checkout -q -f upstream
sed -i '15s/^/# mine /' "$k/Kbuild"
expect "dry port: a merge behind another patch" 0 "^middle: of 2 patches for linux-7.3, 2 would apply, 0 there already, 0 in conflict$" dry TOPIC=middle
{ cat "$TMP/order"; echo small; } >series/linux-7.3/order
mygit checkout -q -f one
expect "dry port: all topics" 2 "^vfio-pci-dmabuf: of .* 0 there already, " make -s port KERNEL="$k"
is "dry port: all topics: each is named" [ "$(grep -c '^[a-z0-9-]*: of [0-9]* patches for linux-7.3, ' "$TMP/out")" = "$(grep -vc '^#' series/linux-7.3/order)" ]
expect "dry port: unknown topic" 2 "TOPIC=nonsense: no such topic on linux-7.3; there are: .* small" dry TOPIC=nonsense
expect "dry port: of another base" 2 "TOPIC=small: no such topic on linux-7.1" dry FROM=linux-7.1
expect "dry port: unknown base" 2 "no base 'linux-1.0'" dry FROM=linux-1.0
expect "dry port: TO" 2 "TO=linux-7.3: KERNEL is where to" dry TO=linux-7.3
expect "range-diff with KERNEL" 2 "range-diff is about two bases" make range-diff KERNEL="$k" TOPIC=small
mv "$TMP/order" series/linux-7.3/order
rm -r "$small" "$later" "$middle"

# The compiler cache. What .incbin takes in is no dependency that the compiler tells of.
mkdir "$TMP/cc"
printf '.incbin "/obj/x"\n' >"$TMP/cc/x.S"
printf 'asm(".incbin \\"/obj/x\\"");\n' >"$TMP/cc/y.c"
compiled() { # CONTENT SOURCE
	printf '%s' "$1" >"$TMP/cc/x"
	sandbox --bind "$TMP/cc" /obj -- gcc -Wp,-MMD,/obj/d -c -o /obj/o "/obj/$2"
	grep -q "$1" "$TMP/cc/o"
}
for f in x.S y.c; do
	is "compiler cache: $f with .incbin" compiled AAAA $f
	is "compiler cache: $f with .incbin of something else" compiled BBBB $f
done

# A file with the right name and the wrong content.
mkdir "$TMP/tarballs"
read -r name < <(sed 's/#.*//' "base/$QEMU" | grep -oE '[^ ]+\.orig\.tar\.xz')
in_cache=$cache/dmabuf-series/base/$QEMU-$(sed 's/#.*//' "base/$QEMU" | awk 'NF { print $1; exit }')/$name
echo broken >"$TMP/tarballs/$name"
empty_cache
expect "corrupted tarball given by the user" 1 "${name//+/.}: sha256 is not" \
	with_cache env TARBALLS="$TMP/tarballs" scripts/fetch "$QEMU"
isnt "corrupted tarball does not reach the cache" test -e "$in_cache"
mkdir -p "${in_cache%/*}"
echo broken >"$in_cache"
expect "corrupted tarball in the cache is fetched again" 0 "wrong sha256, fetching again" \
	with_cache scripts/fetch "$QEMU"

# Pins that are gone from the archive: a newer point release; another that is there; none.
sed -i 's/^10\.[^ ]* *src:[^ ]*/10.0.1  src:qemu=1:10.0.1+ds-0+none/; s/:[0-9a-f]\{64\}/:00/g' "base/$QEMU"
empty_cache
rm -f "build/base-$QEMU"
expect "pinned version is gone: a newer point release" 0 "what is pinned is gone from the archive; 10\.0\.[0-9]+, signed by it, is taken instead" \
	with_cache scripts/fetch "$QEMU"
# shellcheck disable=SC2016
is "newer point release: its sums" sh -c 'read -r _ f _ <"$1" && f=$2/$f && test "$(cat "$f.sha256")" = "$(sha256sum <"$f" | cut -d" " -f1)"' \
	sh "build/base-$QEMU" "$cache/dmabuf-series/base"
expect "newer point release: stays" 0 "" with_cache scripts/fetch "$QEMU"
sed -i 's/^10\.0\.1 /10.0.999 /' "base/$QEMU"
rm -f "build/base-$QEMU"
expect "nothing is left" 4 "could not be had. Tried: src:qemu=.*, a newer point release, .* The archive has none of it .*GIT=<clone>" \
	with_cache scripts/fetch "$QEMU"
expect "nothing is left, without a network" 1 "could not be had. Tried: src:qemu=.*, a newer point release, .* Is the network there\?" \
	with_cache env http_proxy=http://127.0.0.1:9 scripts/fetch "$QEMU"
git init -q "$TMP/clone"
git -C "$TMP/clone" -c user.name=x -c user.email=x@localhost commit -q --allow-empty -m x
git -C "$TMP/clone" tag v10.0.999
expect "from the tag of a clone" 0 "taken from the tag v10.0.999 of" with_cache env GIT="$TMP/clone" scripts/fetch "$QEMU"
cp "$TOP/base/$QEMU" base/
rm -f "build/base-$QEMU"

# A disk that is full: 4 MB, and the smallest base has more.
# shellcheck disable=SC2016
expect "full disk" 1 "$QEMU could not be had" \
	unshare $mine sh -c 'mount -t tmpfs -o size=4m none "$1" && mkdir -p "$1/dmabuf-series" &&
		ln -s "$2" "$1/dmabuf-series/" && XDG_CACHE_HOME=$1 scripts/fetch "$3"' \
	sh "$cache" "$ROOT" "$QEMU"
is "full disk is named in the log" grep -i 'no space left' build/logs/download-*.log "$TMP/out"

empty_cache
setsid env XDG_CACHE_HOME="$cache" scripts/fetch "$QEMU" >/dev/null 2>&1 &
for _ in $(seq 100); do
	[ -z "$(ls -d "$cache/dmabuf-series/base/tmp."* 2>/dev/null)" ] || break
	sleep 0.1
done
sleep 1
kill -TERM -- -$! 2>/dev/null || true
wait $! 2>/dev/null || true
isnt "interrupted fetch leaves nothing with a final name" test -e "$in_cache"
expect "fetch works after an interrupted one" 0 "download" with_cache scripts/fetch "$QEMU"

# Trees. The small one, from the real cache.
expect "tree" 0 "tree build/$QEMU" scripts/tree "$QEMU"
cp -r series "$TMP/series"
expect "export right after tree" 0 "series/$QEMU/qemu-edu-plus: [0-9]+ patches" scripts/export "$QEMU"
is "export right after tree changes nothing" diff -ru "$TMP/series" series

: >build/"$QEMU"/hw/misc/new.c
expect "clean keeps a new file" 2 "build/$QEMU holds work: uncommitted changes or new files" make clean
rm build/"$QEMU"/hw/misc/new.c
f=build/"$QEMU"/hw/misc/edu-plus.c
echo '/* mine */' >>"$f"
expect "export of uncommitted changes" 1 "build/$QEMU has uncommitted changes" scripts/export "$QEMU"
expect "clean keeps uncommitted changes" 2 "build/$QEMU holds work: uncommitted changes" make clean
git -C build/"$QEMU" commit -qam 'hw/misc/edu-plus: Mine'
expect "clean keeps commits that were not exported" 2 "holds work: commits or a stash that were not exported" make clean
p=$(echo series/"$QEMU"/qemu-edu-plus/0001-*.patch)
cp "$p" "$TMP/p"
sed -i 's/^+/+x/' "$p"
expect "tree keeps commits that were not exported" 1 "holds work: commits or a stash that were not exported" scripts/tree "$QEMU"
expect "export does not overwrite a series/ that changed" 1 "series/.* changed since" scripts/export "$QEMU"
cp "$TMP/p" "$p"
expect "export of a commit" 0 "series/$QEMU/qemu-edu-plus: " scripts/export "$QEMU"
is "a commit in the tree becomes a patch" sh -c 'ls series/*/qemu-edu-plus/*-Mine.patch'
expect "clean" 0 "removed build" make clean
isnt "clean removes build/" test -e build/"$QEMU"

sed -i 's/^ #include/ #exclude/; s/^-/-x/' series/"$QEMU"/qemu-edu-plus/*-Mine.patch
sed -i 's/^ /  /' series/"$QEMU"/qemu-edu-plus/*-Mine.patch
expect "patch that does not apply" 1 "series/$QEMU/qemu-edu-plus does not apply to this tree: .*Mine" scripts/tree "$QEMU"
isnt "patch that does not apply leaves no tree" test -e build/"$QEMU"
sed -i '/qemu-edu-plus/d' "series/$QEMU/order"
expect "unknown topic of AT" 3 "AT=nonsense/1: no topic 'nonsense' in linux-7.3; there are: .*dma-buf" env AT=nonsense/1 "$TOP/scripts/run" kselftest
were_run testbed/scripts
done_testing
