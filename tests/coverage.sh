#!/usr/bin/env bash
# make coverage, of a small program in place of the kernel, which a QEMU that is a fake runs.
. "$(dirname "$0")/lib.sh"

fake="$TMP/a fake" tree="$TMP/a fake/build/linux-7.3" out="$TMP/a fake/build/coverage/linux-7.3"
mkdir -p "$fake/series/linux-7.3" "$fake/series/$QEMU" "$fake/qemu" "$tree"/{drivers,include,tools} "$TMP/cache/dmabuf-series"
cp -r "$TOP"/{Makefile,scripts,guest,tests,root} "$fake"
cp "$TOP/series/linux-7.3/order" "$fake/series/linux-7.3"
ln -s "$ROOT" "$TMP/cache/dmabuf-series"
echo "$fake/qemu" >"$fake/build/qemu-dir"
for f in build-qemu tree manifest; do printf '#!/bin/sh\n' >"$fake/scripts/$f"; done
# The kernel: all that a Makefile would name.
cat >"$fake/scripts/build-linux" <<'B'
#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
[ "$1 $CONFIG" = "--into debug coverage" ]
gzip </dev/null >"$2/initramfs.gz"
echo kernel >"$2/kernel"
echo some:test >"$2/kselftest-list.txt"
obj=$BUILD/obj/linux-7.3/x86_64-debug-coverage
rm -rf "$obj"
mkdir -p "$obj/drivers"
sandbox --ro-bind "$SRC" /src --bind "$obj" /obj -- sh -ec '
	for f in a b main; do
		gcc --coverage -I /src/include -c -o /obj/drivers/$f.o /src/drivers/$f.c
	done
	gcc --coverage -o /obj/vmlinux /obj/drivers/*.o'
cp "$obj/vmlinux" "$TOP/qemu"
[ -z "${EDIT:-}" ] || echo >>"$SRC/drivers/a.c"
B
cat >"$fake/qemu/qemu-system-x86_64" <<'Q'
#!/bin/sh
# What init does, by its own function; the file /in/does says what is different.
eval "$(sed -n '/^counters() {/,/^}/ { s|/sys/|/tmp/sys/|g; s|/share/|/tmp/s/|g; p; }' /in/init)"
boot() {
	mkdir -p /tmp/sys/kernel/debug/gcov
	GCOV_PREFIX=/tmp/sys/kernel/debug/gcov /mnt/vmlinux "$@"
	counters
	tar -C /tmp/s -cf /out/share.tar .
}
case $* in
*"-name coverage-first "*) boot ;;
*"-name coverage-second "*) boot x ;;
*"-name coverage-T "*) boot x x x ;;
esac
printf '1..1\nok 1 one\n# job: exit 0\n' >/out/tap.log
. /in/does
Q
chmod +x "$fake/qemu/qemu-system-x86_64"
mkdir "$fake/job"
echo 'echo 1..0' >"$fake/job/a"
cat >"$fake/tests/plan" <<'P'
# set | base      | arch   | config        | run    | least | what | command
check | linux-7.3 | x86_64 | debug         | first  | 1     | a    | X="a | b" scripts/run tap job/a
all   | linux-7.3 | x86_64 | debug         | second | 1     | b    | scripts/run tap job/a
all   | linux-7.3 | x86_64 | debug builtin | third  | 1     | c    | echo of another kernel; exit 1
all   | linux-7.1 | x86_64 | debug         | fourth | 1     | d    | echo of another base; exit 1
all   | linux-7.3 | arm64  | debug         | fifth  | 1     | e    | echo of another machine; exit 1
check | linux-7.3 | x86_64 | debug         | -      | 1     | f    | echo no run of a guest; exit 1
P
: >"$fake/guest/does"

# The tree: a base, and two topics that change the same function.
git() { HOME=$TMP command git -C "$tree" -c user.name=x -c user.email=x@localhost "$@"; }
commit() { git add -A; git commit -qm "$@"; }
git init -q
cat >"$tree/drivers/a.c" <<'C'
int nobody(int x)
{
	return x;
}
C
cat >"$tree/drivers/main.c" <<'C'
int one(int x);

int main(int argc, char **argv)
{
	return !one(argc - 1);
}
C
cp "$tree/drivers/a.c" "$tree/drivers/nowhere.c"
sed 's/nobody/unused/' "$tree/drivers/a.c" >"$tree/drivers/b.c"
commit base
git tag base
git commit -q --allow-empty -m "One" -m "Topic: one"
cat >>"$tree/drivers/a.c" <<'C'

int one(int x)
{
	if (x)
		return 1;
	return 2;
}
C
sed -i 's/return x/return -x/' "$tree/drivers/b.c"
echo 'int tool(void) { return 0; }' >"$tree/tools/tool.c"
commit "a: Add one()"
git commit -q --allow-empty -m "Two" -m "Topic: two"
cat >"$tree/include/two.h" <<'C'
/* No code. */
static inline int
two(int x)
{
	return x * (x + 1);
}
C
sed -i '1i #include "two.h"\n' "$tree/drivers/a.c"
sed -i 's/^	if (x)$/	if (x > 2)\n		return two(x);\n&/' "$tree/drivers/a.c"
sed -i 's/return x/return -x/' "$tree/drivers/nowhere.c"
commit "a: Add two()"

coverage() { # [VARIABLE=VALUE]...
	env -u TOPIC -u T XDG_CACHE_HOME="$TMP/cache" ACCEL=tcg ARCH=x86_64 BASE=linux-7.3 "$@" "$fake/scripts/coverage"
}
# The list of lines that are not run.
known() {
	mkdir -p "$fake/tests/uncovered"
	cat >"$fake/tests/uncovered/linux-7.3"
}

rm -rf "$fake/tests/uncovered"
expect "coverage" 1 "^5 passed, 5 failed, 0 skipped$" coverage
is "coverage: rows of this guest" diff - <(grep '^== ' "$TMP/out") <<<"== coverage: first
== coverage: second"
is "coverage: its runs are not those of make check" test -f "$fake/build/run/linux-7.3/coverage-first/results.json"
is "coverage: what two runs ran adds up" diff - "$out/one.txt" <<<"one: 8 lines, 5 with code: 4 run, 0 not run and named, 1 not run

No test runs:
drivers/b.c:3: unused: return -x;"
is "coverage: lines of a later topic, of a header, of what is not built" diff - "$out/two.txt" <<<"two: 11 lines, 5 with code: 1 run, 0 not run and named, 4 not run

No test runs:
drivers/a.c:11: one: return two(x);
drivers/nowhere.c:3: (not built)
include/two.h:3: two: two(int x)
include/two.h:5: two: return x * (x + 1);"
is "coverage: they are on the screen" grep -xF 'not ok drivers/a.c:11: one: return two(x);' "$TMP/out"
is "coverage: a list to start from" diff - "$out/unnamed" <<<'one drivers/b.c:
	unused: return -x;
two drivers/a.c:
	one: return two\(x\);
two drivers/nowhere.c:
	\(not built\)
two include/two.h:
	two: two\(int x\)
	two: return x \* \(x \+ 1\);'
cp "$out/unnamed" "$TMP/unnamed"

expect "TOPIC" 1 "^4 passed, 1 failed, 0 skipped$" coverage TOPIC=one
isnt "TOPIC: no other" grep '^two' "$TMP/out"
expect "T" 1 "^5 passed, 5 failed, 0 skipped$" coverage T=some:test
is "T: is what is run" grep -x '== coverage: T' "$TMP/out"
is "T: a line that only this runs" diff - <(sed -n '/^No test/,$p' "$out/two.txt") <<<"No test runs:
drivers/nowhere.c:3: (not built)"

# The list.
sed 's/:$/: nobody can/' "$TMP/unnamed" | known
expect "all are named" 0 "^5 passed, 0 failed, 5 skipped$" coverage
is "all are named: with the reason" grep -xA1 'nobody can:' "$out/one.txt"
isnt "all are named: nothing is left" test -s "$out/unnamed"
known <"$TMP/unnamed"
expect "a reason is wanted" 1 '^error: tests/uncovered/linux-7.3:1: must be "TOPIC FILE: REASON"$' coverage
known <<'K'
	unused: return -x;
K
expect "a line without a head" 1 "^error: tests/uncovered/linux-7.3:1: nothing says what it is about$" coverage
known <<'K'
# text
one drivers/b.c: why
	unused: return (
K
expect "a bad regular expression" 1 "^error: tests/uncovered/linux-7.3:3: bad regular expression" coverage
known <<'K'
one drivers/b.c: only a part of the text
	return -x;
two drivers/b.c: another topic
	unused: return -x;
one drivers/a.c: another file
	unused: return -x;
K
expect "entries that do not fit" 1 "^5 passed, 8 failed, 0 skipped$" coverage
is "entries that do not fit are named" grep -x 'not ok tests/uncovered/linux-7.3:2: no such line: one drivers/b.c: return -x;' "$TMP/out"
known <<'K'
one drivers/b.c: nobody can
	unused: return -x;
one drivers/a.c: sometimes only
	one: return [0-9];
K
expect "an entry whose lines were run" 0 "^4 passed, 0 failed, 1 skipped$" coverage TOPIC=one
is "an entry whose lines were run is named" grep -xF 'tests/uncovered/linux-7.3:4: was run this time: one drivers/a.c: one: return [0-9];' "$TMP/out"
known <<'K'
one drivers/b.c: nobody can
	unused: return -x;
	unused: return 7;
one drivers/a.c: another test does
	one: (if \(x\)|return [12];)
K
expect "T: of entries nothing is known" 0 "^1 passed, 0 failed, 4 skipped$" coverage T=some:test TOPIC=one
known <<'K'
one drivers/b.c: nobody can
	unused: return -x;
K

# Runs that do not go well.
cat >"$fake/guest/does" <<'D'
case $* in *-second*) printf '1..1\nnot ok 1 one\n# job: exit 1\n' >/out/tap.log ;; esac
D
expect "a run that fails" 1 "^4 passed, 1 failed, 1 skipped$" coverage TOPIC=one
is "a run that fails is named" grep -x 'not ok second: it failed' "$TMP/out"
echo 'case $* in *-second*) rm /out/share.tar ;; esac' >"$fake/guest/does"
expect "a run without data" 1 "^3 passed, 2 failed, 1 skipped$" coverage TOPIC=one
is "a run without data is named" grep -x 'not ok second: no data came out of the guest' "$TMP/out"
echo 'rm /out/share.tar' >"$fake/guest/does"
expect "no data at all" 1 "^error: no line was counted$" coverage
broken() { # OFFSET: of a byte that is another one
	cat >"$fake/guest/does" <<-D
		printf x | dd of=/tmp/s/gcov/obj/drivers/a.gcda bs=1 seek=$1 conv=notrunc 2>/dev/null
		tar -C /tmp/s -cf /out/share.tar .
	D
}
broken 8
expect "data of another build" 1 "^error: first: gcov: .*a.gcda:stamp mismatch with notes file" coverage
# The checksum of a function. gcov's status is 0 then.
broken 44
expect "data of another function" 1 "^error: first: gcov: .*a.gcda:profile mismatch for 'one'" coverage
: >"$fake/guest/does"

# The tree as it is.
sed -i '/^int one/,$s/return 2/return 4/' "$tree/drivers/a.c"
sed -i 's/return x/return 5/' "$tree/drivers/a.c"
expect "what is not committed" 1 "^uncommitted: 2 lines, 2 with code: 1 run, 0 not run and named, 1 not run$" coverage TOPIC=one
expect "a tree that changes meanwhile" 1 "^error: build/linux-7.3 has changed since the start" coverage EDIT=1
git checkout -q .

expect "unknown TOPIC" 1 "^error: TOPIC=none: no such topic on linux-7.3; there are: one two$" coverage TOPIC=none
expect "ARCH" 1 "^error: ARCH=arm64: coverage is taken on x86_64 only$" coverage ARCH=arm64
mkdir "$TMP/kernel"
: >"$TMP/kernel/Makefile"
: >"$TMP/kernel/Kbuild"
expect "KERNEL" 1 "^error: coverage is about the topics of a base" coverage KERNEL="$TMP/kernel"
exec 3>"$fake/build/lock/coverage.linux-7.3"
flock 3
expect "another one" 1 "^error: another make coverage of linux-7.3 is going on here$" coverage
exec 3>&-
sed -i '/first\|second/d' "$fake/tests/plan"
expect "a plan without tests" 1 "^error: tests/plan has nothing for the debug guest of linux-7.3$" coverage
were_run testbed/coverage
done_testing
