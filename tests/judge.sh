#!/usr/bin/env bash
# How a run is judged, from logs made up here: each thing that must fail a run
# does, and says so.
. "$(dirname "$0")/lib.sh"

in_root() { sandbox --ro-bind "$TOP/scripts" /src --ro-bind "$TOP/guest" /in --bind "$TMP" /out -- "$@"; }

judge() { # NAME STATUS MESSAGE [OPTION...]: TAP is standard input; CONSOLE the kernel log
	local name=$1 status=$2 message=$3
	shift 3
	cat >"$TMP/tap.log"
	printf '%s\n' "${CONSOLE:-[    1.0] Run /init as init process}" >"$TMP/console.log"
	expect "$name" "$status" "$message" in_root python3 /src/vm.py --judge --out /out "$@"
}

# also NAME MESSAGE: the output of the last run has such a line, too.
also() { is "$1" grep -qE -- "$2" "$TMP/out"; }
alsonot() { isnt "$1" grep -qE -- "$2" "$TMP/out"; }
good='TAP version 13
1..1
ok 1 one
# job: exit 0'

judge "a good run" 0 "^1 passed, 0 failed, 0 skipped$" <<<"$good"
judge "a test that fails" 1 "error: failed: two" <<'T'
1..2
ok 1 one
not ok 2 two
# job: exit 1
T
judge "results inside a program are what counts" 1 "^1 passed, 1 failed, 1 skipped$" --expected-skips <(echo nothing) <<'T'
1..1
# selftests: vfio: prog
# TAP version 13
# 1..3
# ok 1 a
# not ok 2 b
# ok 3 c # SKIP no device
not ok 1 selftests: vfio: prog # exit=1
# job: exit 1
T
judge "a program that dies after all its tests were ok" 1 "error: failed: vfio:prog \(exit=139\)" <<'T'
1..1
# selftests: vfio: prog
# 1..1
# ok 1 a
not ok 1 selftests: vfio: prog # exit=139
# job: exit 1
T
judge "the line of that program is no test" 1 "error: failed: vfio:prog \(exit=139\)" --strict-names --names <(echo vfio:prog a) <<'T'
1..1
# selftests: vfio: prog
# 1..1
# ok 1 a
not ok 1 selftests: vfio: prog # exit=139
# job: exit 1
T
alsonot "nor one that no list has" "not in the list of names"
judge "a program that reports fewer tests than it planned" 1 "error: vfio:prog: 2 tests planned, 1 reported" <<'T'
1..1
# selftests: vfio: prog
# 1..2
# ok 1 a
ok 1 selftests: vfio: prog
# job: exit 0
T
judge "a program with results but no plan" 1 "error: vfio:prog: results without a plan" <<'T'
1..1
# selftests: vfio: prog
# ok 1 a
ok 1 selftests: vfio: prog
# job: exit 0
T
judge "a program that plans nothing and passes" 1 "error: vfio:prog: 0 tests planned" <<'T'
1..1
# selftests: vfio: prog
# 1..0
ok 1 selftests: vfio: prog
# job: exit 0
T
CONSOLE='[    0.0] Kernel command line: page_table_check=on' \
	judge "the command line is no report" 0 "^1 passed, 0 failed, 0 skipped$" <<<"$good"
judge "no plan" 1 "error: no plan line" <<'T'
ok 1 one
# job: exit 0
T
judge "fewer programs than planned" 1 "error: 3 programs planned, 1 reported" <<'T'
1..3
ok 1 one
# job: exit 0
T
judge "no verdict" 1 "error: no verdict" <<'T'
1..1
ok 1 one
T
judge "a job that fails though no test did" 1 "error: the job in the guest failed with status 2" <<'T'
1..1
ok 1 one
# job: exit 2
T
skip='1..2
ok 1 one # SKIP no reason
ok 2 two
# job: exit 0'
judge "a skip that is not expected" 1 "error: unexpected skip: one: no reason" <<<"$skip"
judge "a skip that is expected" 0 "^1 passed, 0 failed, 1 skipped$" --expected-skips <(echo '^one: no') <<<"$skip"
judge "a failure that a test expects is a skip" 1 "^error: unexpected skip: one: XFAIL not yet$" <<'T'
1..2
ok 1 one # XFAIL not yet
ok 2 two
# job: exit 0
T
judge "a failure that calls itself a skip" 1 "^error: failed: one$" --expected-skips <(echo one) <<'T'
1..2
not ok 1 one # SKIP no device
ok 2 two
# job: exit 1
T
judge "a program that is skipped as a whole" 1 "error: unexpected skip: vfio:prog: no device$" <<'T'
1..2
# selftests: vfio: prog
# 1..0 # SKIP no device
ok 1 selftests: vfio: prog # SKIP
ok 2 two
# job: exit 0
T

judge "a skip whose name is behind the directive" 1 "error: unexpected skip: vfio:prog no vgem: no vgem$" <<'T'
1..1
# selftests: vfio: prog
# 1..2
# ok 1 # SKIP no vgem
# ok 2 b
ok 1 selftests: vfio: prog
# job: exit 0
T

# Nothing was run.
judge "all skipped" 1 "error: nothing was tested" --expected-skips <(echo '^one: no') <<'T'
1..1
ok 1 one # SKIP no reason
# job: exit 0
T
judge "a plan of nothing" 1 "error: nothing was tested" <<'T'
1..0
# job: exit 0
T
judge "a job need not test anything" 0 "^hello$" --job <<'T'
hello
# job: exit 0
T
judge "a job that does not end" 1 "error: no verdict" --job <<'T'
hello
T
judge "a job that fails" 1 "error: the job in the guest failed with status 2" --job <<'T'
# job: exit 2
T

# Names.
suite='1..2
# selftests: vfio: prog
# 1..3
# ok 1 a
# ok 2 b # SKIP no device
# ok 3 b # SKIP no device
ok 1 selftests: vfio: prog
# selftests: vfio: script
ok 2 selftests: vfio: script
# job: exit 0'
names='# Tests that must be run.
vfio:prog a
vfio:prog b
vfio:prog b
vfio:script'
skips='^vfio:prog b: no device$'
judge "names: all are there" 0 "\[ *[0-9]+ s, 4/4\] ok +vfio:script$" \
	--names <(echo "$names") --strict-names --expected-skips <(echo "$skips") <<<"$suite"
also "names: progress counts them" "\[ *[0-9]+ s, 1/4\] ok +vfio:prog a$"
judge "names: several lists" 0 "^2 passed, 0 failed, 2 skipped$" --names <(head -n 2 <<<"$names") \
	--names <(tail -n 3 <<<"$names") --strict-names --expected-skips <(echo "$skips") <<<"$suite"
judge "names: one is missing" 1 "^error: missing: vfio:prog c$" \
	--names <(echo "$names"; echo vfio:prog c) --expected-skips <(echo "$skips") <<<"$suite"
judge "names: one of two tests of a name is missing" 1 "^error: missing: vfio:prog a$" \
	--names <(echo "$names"; echo vfio:prog a) --expected-skips <(echo "$skips") <<<"$suite"
judge "names: no error beyond --only" 0 "s, 1/1\] ok +vfio:script$" --only '^vfio:script( |$)' \
	--names <(echo "$names"; echo vfio:prog c) --expected-skips <(echo "$skips") <<<"$suite"
judge "names: what is missing within --only" 1 "^error: missing: vfio:script c$" --only '^vfio:script( |$)' \
	--names <(echo "$names"; echo vfio:script c) --expected-skips <(echo "$skips") <<<"$suite"
judge "names: more than the list has" 0 "^1 tests are not in [0-9]+: vfio:prog a$" \
	--names <(grep -v "prog a" <<<"$names") --expected-skips <(echo "$skips") <<<"$suite"
judge "names: more than the list has, strictly" 1 "^error: not in the list of names: vfio:prog a$" --strict-names \
	--names <(grep -v "prog a" <<<"$names") --expected-skips <(echo "$skips") <<<"$suite"
judge "names: a skip that is not expected is no run" 1 "^error: unexpected skip: vfio:prog b" --names <(echo "$names") <<<"$suite"
judge "names: written" 0 "^2 passed" --write-names /out/names --expected-skips <(echo "$skips") <<<"$suite"
is "names: what was written is the list" diff <(grep -v '^#' <<<"$names") "$TMP/names"
judge "names: only the first of many are shown" 1 "^error: missing: 5 more, see results.json$" \
	--names <(seq 101 125) <<<"$good"

# The negative control.
judge "control: a test of the series that passes on the base" 1 "error: passes without the code it tests: one" \
	--control <(echo '^one$') <<<"$good"
judge "control: a test of the series that skips on the base" 0 "1 of 1 tests of the series failed or skipped" \
	--control <(echo '^one$') <<<"$skip"
judge "control: none of the tests was run" 1 "error: no test of the series was run" --control <(echo '^two$') <<<"$good"
judge "control: another test that fails" 1 "^error: failed: two$" --control <(echo '^one$') <<'T'
1..2
not ok 1 one
not ok 2 two
# job: exit 1
T
alsonot "control: only that one is named" "error: failed: one"
judge "control: a part of the list that no test is of" 1 "^error: control: no test was run that matches .three.$" \
	--control <(printf '%s\n' '^one$' '^three$') <<<"$skip"
judge "control: not of a part of the suite" 0 "1 of 1 tests of the series" --only '^one$' \
	--control <(printf '%s\n' '^one$' '^three$') <<<"$skip"
control() { # NAME STATUS MESSAGE [OPTION...]: the lines of a program of the series and for it are standard input
	local name=$1 status=$2 message=$3
	shift 3
	judge "control: $name" "$status" "$message" --control <(echo '^vfio:prog') "$@" < <(
		printf '%s\n' '1..2' '# selftests: vfio: other' '# 1..1' '# ok 1 x' 'ok 1 selftests: vfio: other' '# selftests: vfio: prog'
		cat
		echo '# job: exit 1')
}
printf '%s\n' 'vfio:prog a' 'vfio:prog b' 'vfio:other x' >"$TMP/patched"
both() { # as control(), without a list of names and with one
	local input
	input=$(cat)
	control "$@" <<<"$input"
	control "$1, by names" "${@:2}" --control-names /out/patched <<<"$input"
}
both "all tests fail or skip" 0 "negative control: 2 of 2 tests" <<'T'
# 1..2
# not ok 1 a
# ok 2 b # SKIP not on this kernel
not ok 2 selftests: vfio: prog # exit=1
T
is "control: a test that has to fail is no failure in the XML" in_root python3 -c '
import xml.etree.ElementTree as ET
root = ET.parse("/out/results.xml").getroot()
assert not root.findall(".//failure") + root.findall(".//error") and len(root.findall(".//skipped")) == 2'
both "a test that passes" 1 "^error: passes without the code it tests: vfio:prog b$" <<'T'
# 1..2
# not ok 1 a
# ok 2 b
not ok 2 selftests: vfio: prog # exit=1
T
both "no such program" 1 "^error: control: vfio:prog proves nothing: exit=127$" <<'T'
not ok 2 selftests: vfio: prog # exit=127
T
both "a program that is not executable" 1 "^error: control: vfio:prog proves nothing: exit=126$" <<'T'
not ok 2 selftests: vfio: prog # exit=126
T
both "a program that was not installed" 1 "^error: control: vfio:prog proves nothing: Warning: file prog is missing!$" <<'T'
# Warning: file prog is missing!
not ok 2 selftests: vfio: prog
T
both "a program that takes too long" 1 "^error: control: vfio:prog proves nothing: TIMEOUT 45 seconds$" <<'T'
# 1..2
# not ok 1 a
not ok 2 selftests: vfio: prog # TIMEOUT 45 seconds
T
both "a program that dies" 1 "^error: control: vfio:prog proves nothing: exit=139$" <<'T'
not ok 2 selftests: vfio: prog # exit=139
T
both "a program that dies behind its tests" 1 "^error: control: vfio:prog proves nothing: exit=134$" <<'T'
# 1..2
# not ok 1 a
# not ok 2 b
not ok 2 selftests: vfio: prog # exit=134
T
control "a program that is skipped as a whole" 1 \
	"^error: control: vfio:prog skipped as a whole, 2 of its tests were not run: no device$" --control-names /out/patched <<'T'
# 1..0 # SKIP no device
ok 2 selftests: vfio: prog # SKIP
T
control "a program that fails before its tests" 1 \
	"^error: control: vfio:prog failed as a whole, 2 of its tests were not run: exit=1$" --control-names /out/patched <<'T'
not ok 2 selftests: vfio: prog # exit=1
T
control "a name that vanished" 1 "^error: control: missing: vfio:prog b$" --control-names /out/patched <<'T'
# 1..1
# not ok 1 a
not ok 2 selftests: vfio: prog # exit=1
T
control "a list without one of the series" 1 "^error: no name in the lists is of the series$" --control-names <(echo vfio:other x) <<'T'
# 1..1
# not ok 1 a
not ok 2 selftests: vfio: prog # exit=1
T

CONSOLE='[   61.5] BUG: KASAN: slab-use-after-free in get_file_active+0x66/0x1b0' \
control "what the base kernel reports is a bug of it" 0 "^the base kernel reports: .*use-after-free" --control-names /out/patched <<'T'
# 1..2
# not ok 1 a
# ok 2 b # SKIP this kernel cannot
not ok 2 selftests: vfio: prog # exit=1
T
alsonot "control: such a report is no error" "^error: kernel report"
also "control: what must not pass, and did not, is what passed" "^2 passed, 0 failed, 0 skipped$"

# Why a test failed.
diagnostics='TAP version 13
1..2
# timeout set to 45
# selftests: vfio: prog
# TAP version 13
# 1..3
# # Starting 3 tests from 1 test cases.
# #  RUN           global.a ...
# # said by a
# #            OK  global.a
# ok 1 global.a
# #  RUN           global.b ...
# # file.c:12:b:Expected 1 (1) == 2 (2)
# # b: Test terminated by assertion
# #          FAIL  global.b
# not ok 2 global.b
# #  RUN           global.c ...
# # file.c:30:c:Expected 3 (3) == 4 (4)
# #          FAIL  global.c
# not ok 3 global.c
not ok 1 selftests: vfio: prog # exit=1
# selftests: kunit: suite
# 1..1
#     # case: EXPECTATION FAILED at suite.c:34
#     Expected x == 1, but
#         x == 2 (0x2)
#     ok 1 first
#     not ok 2 second
# not ok 1 case
not ok 2 selftests: kunit: suite
# job: exit 1'
judge "diagnostics: beside the test that failed" 1 "^        file.c:12:b:Expected 1 \(1\) == 2 \(2\)$" <<<"$diagnostics"
cp "$TMP/out" "$TMP/kept"
grep -A 2 'FAIL vfio:prog global.b$' "$TMP/kept" >"$TMP/out"
also "diagnostics: all lines of it" "^        b: Test terminated by assertion$"
grep -A 1 'FAIL vfio:prog global.c$' "$TMP/kept" >"$TMP/out"
also "diagnostics: of each test its own" "^        file.c:30:c:Expected"
grep -A 4 'FAIL kunit:suite case$' "$TMP/kept" >"$TMP/out"
also "diagnostics: of KUnit" "^ +x == 2 \(0x2\)$"
also "diagnostics: parameters that failed" "^ +not ok 2 second$"
cp "$TMP/kept" "$TMP/out"
alsonot "diagnostics: not of a test that passed" "said by a"
alsonot "diagnostics: no frame" "RUN +global"
tail -n 4 "$TMP/kept" >"$TMP/out"
also "what failed is named at the end" "^error: failed: vfio:prog global.b$"
also "all that failed" "^error: failed: kunit:suite case$"
judge "--verbose shows all there is" 1 "^    # # said by a$" --verbose <<<"$diagnostics"
alsonot "--verbose shows it once" "^        .*file.c:12"
judge "diagnostics: of a program that failed as a whole" 1 "^        ./prog: not found$" <<'T'
1..1
# selftests: vfio: prog
# ./prog: not found
not ok 1 selftests: vfio: prog # exit=127
# job: exit 1
T
judge "diagnostics: the last 12 lines" 1 "^        line 9$" < <(
	echo 1..1
	printf '# line %s\n' {1..20}
	printf '%s\n' 'not ok 1 one' '# job: exit 1')
alsonot "diagnostics: no more than that" "line 8$"

# Results as files.
echo 'kernel: 7.1' >"$TMP/manifest"
CONSOLE=$(printf '[    9.1] BUG: one\033[0m & <two>\n') judge "results: a bad run" 1 "^1 passed, 3 failed, 0 skipped$" --names <(echo vfio:prog x) <<<"$diagnostics"
is "results: JSON" in_root python3 -c '
import json
r = json.load(open("/out/results.json"))
t = {t["name"]: t for t in r["tests"]}
assert r["status"] == 1 and r["manifest"] == "kernel: 7.1\n", r
assert r["counts"] == {"passed": 1, "failed": 3, "skipped": 0}, r
assert r["failed"] == ["vfio:prog global.b", "vfio:prog global.c", "kunit:suite case"], r
assert r["errors"] == ["missing: vfio:prog x"] and r["missing"] == ["vfio:prog x"], r
assert len(r["reports"]) == 1 and "BUG: one" in r["reports"][0], r
b = t["vfio:prog global.b"]
assert b["outcome"] == "failed" and b["seconds"] >= 0, b
assert b["diagnostics"][0].endswith("file.c:12:b:Expected 1 (1) == 2 (2)"), b'
is "results: XML" in_root python3 -c '
import xml.etree.ElementTree as ET
root = ET.parse("/out/results.xml").getroot()
s = {s.get("name"): s for s in root}
assert root.tag == "testsuites" and list(s) == ["vfio:prog", "kunit:suite", "run"], list(s)
assert (s["vfio:prog"].get("tests"), s["vfio:prog"].get("failures")) == ("3", "2")
c = {c.get("name"): c for s in root for c in s}
assert c["global.a"].find("failure") is None
assert "file.c:12" in c["global.b"].find("failure").text
assert c["run"].find("failure").text == "missing: vfio:prog x"
assert "& <two>" in c["kernel"].find("failure").text'
rm "$TMP/manifest"
judge "results: a good run" 0 "^1 passed" --expected-skips <(echo '^one: no') <<<"$skip"
is "results: JSON and XML of a good run" in_root python3 -c '
import json
import xml.etree.ElementTree as ET
r = json.load(open("/out/results.json"))
assert r["status"] == 0 and not r["failed"] + r["errors"] + r["reports"] and r["manifest"] is None, r
assert (r["tests"][0]["outcome"], r["tests"][0]["reason"]) == ("skipped", "no reason"), r
root = ET.parse("/out/results.xml").getroot()
assert not root.findall(".//failure") + root.findall(".//error")
assert len(root.findall(".//skipped")) == 1'

# Infrastructure.
judge "status 3: no file with names" 3 "^error: /out/none: No such file" --names /out/none <<<"$good"
judge "status 3: no file with reports" 3 "^error: /out/none: No such file" --reports /out/none <<<"$good"
judge "status 3: a bad regular expression" 3 "^error: .*: bad regular expression 'one\('" --expected-skips <(echo 'one(') <<<"$good"
judge "status 3: the guest never came to its job" 3 "^error: the guest never came to its job$" <<<''
judge "status 3: nor to one without tests" 3 "^error: the guest never came to its job$" --job </dev/null
CONSOLE='[    9.1] Kernel panic - not syncing: No working init found.' \
	judge "status 1: a panic at boot is a finding" 1 "^error: kernel report: .*No working init" <<<''
rm "$TMP/console.log"
expect "status 3: no log" 3 "^error: /out/console.log: No such file" in_root python3 /src/vm.py --judge --out /out
vm() { # NAME STATUS MESSAGE OPTION... -- QEMU: a shell command in its place, to which the arguments go
	local name=$1 status=$2 message=$3
	shift 3
	expect "$name" "$status" "$message" in_root python3 /src/vm.py --out /out "$@" qemu
}
vm "a QEMU that is good" 0 "^1 passed, 0 failed, 0 skipped$" -- sh -c 'printf "1..1\nok 1 one\n# job: exit 0\n" >/out/tap.log'
vm "status 3: no QEMU" 3 "^error: QEMU did not start: /none: No such file" -- /none
is "status 3: no results of an earlier run" [ ! -e "$TMP/results.json" ]
vm "status 3: a QEMU that does not start" 3 "^error: QEMU failed with status 5$" -- sh -c 'exit 5'
vm "status 1: a QEMU that dies behind a result" 1 "^error: QEMU failed with status 5$" \
	-- sh -c 'printf "1..2\nok 1 one\n" >/out/tap.log; exit 5'
vm "status 3: silence before the first result" 3 "^error: the time ran out before the first result$" \
	--silence 1 -- sh -c 'echo 1..1 >/out/tap.log; exec sleep 60'
vm "status 1: silence behind a result" 1 "^error: time-out: the guest said nothing for 1 s$" \
	--silence 1 -- sh -c 'printf "1..2\nok 1 one\n" >/out/tap.log; exec sleep 60'
vm "status 3: the whole time is over before the first result" 3 "^error: the time ran out before the first result$" \
	--timeout 1 -- sh -c 'echo 1..1 >/out/tap.log; exec sleep 60'
vm "status 3: a guest that says nothing" 3 "^error: the guest never came to its job$" --timeout 1 -- sh -c 'exec sleep 60'
vm "no limits: as for who is at a breakpoint" 0 "^1 passed" --timeout 0 --silence 0 \
	-- sh -c 'sleep 2; printf "1..1\nok 1 one\n# job: exit 0\n" >/out/tap.log'
judge "status 2: wrong usage" 2 "control-names needs --control" --control-names /out/patched <<<"$good"

# What the kernel reports.
cat >"$TMP/examples" <<'C'
WARN|[    9.1] WARNING: CPU: 0 PID: 1 at drivers/misc/lkdtm/bugs.c:112
WARN without CPU|[    9.1] WARNING: drivers/vfio/pci/vfio_pci_core.c:12 at f+0x1/0x2, CPU#0: sh/1
KASAN|[    9.1] BUG: KASAN: slab-out-of-bounds in f+0x1/0x2
UBSAN|[    9.1] UBSAN: shift-out-of-bounds in f.c:1:2
refcount|[    9.1] refcount_t: underflow; use-after-free.
lockdep circular|[    9.1] WARNING: possible circular locking dependency detected
lockdep recursive|[    9.1] WARNING: possible recursive locking detected
lockdep off|[    9.1] INFO: lockdep is turned off.
irq state|[    9.1] WARNING: inconsistent lock state
atomic sleep|[    9.1] BUG: sleeping function called from invalid context at f.c:1
hung task|[    9.1] INFO: task sh:12 blocked for more than 10 seconds.
soft lockup|[    9.1] watchdog: BUG: soft lockup - CPU#0 stuck for 22s!
RCU stall|[    9.1] rcu: INFO: rcu_sched self-detected stall on CPU
list|[    9.1] list_del corruption. prev->next should be
object|[    9.1] ODEBUG: free active (active state 0) object: 0
Oops|[    9.1] Oops: Oops: 0000 [#1] SMP KASAN
fault|[    9.1] Oops: general protection fault, probably for non-canonical address
arm64 fault|[    9.1] Unable to handle kernel NULL pointer dereference at virtual address 0
panic|[    9.1] Kernel panic - not syncing: Attempted to kill init!
I/O wait|[    9.1] INFO: task sh:12 blocked in I/O wait for more than 10 seconds.
page table|[    9.1] mm/pgtable-generic.c:54: bad pmd 0000000000000000(1)
SLUB|[    9.1] BUG kmalloc-64 (Not tainted): Right Redzone overwritten
memtype|[    9.1] x86/PAT: sh:12 conflicting memory types 1000-2000 write-combining<->uncached-minus
dropped|[    9.1] ** 12 printk messages dropped **
page state|[    9.1] BUG: Bad page state in process sh  pfn:1
BUG()|[    9.1] kernel BUG at mm/vmalloc.c:12!
KCSAN|[    9.1] BUG: KCSAN: data-race in f / g
KFENCE|[    9.1] BUG: KFENCE: use-after-free read in f+0x1/0x2
RCU stall, expedited|[    9.1] rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 0-... } 6002 jiffies s: 57 root: 0x1/.
RCU stall, tasks|[    9.1] INFO: rcu_tasks detected stalls on tasks:
RCU kthread|[    9.1] rcu: rcu_preempt kthread starved for 5252 jiffies! g1 f0x0 RCU_GP_WAIT_FQS(5) ->state=R ->cpu=1
RCU timer|[    9.1] rcu: 	rcu_preempt kthread timer wakeup didn't happen for 5251 jiffies! g1 f0x0 RCU_GP_WAIT_FQS(5) ->state=I
lockdep key|[    9.1] INFO: trying to register non-static key.
hard lockup|[    9.1] watchdog: CPU0: Watchdog detected hard LOCKUP on cpu 1
hard lockup, older|[    9.1] NMI watchdog: Watchdog detected hard LOCKUP on cpu 1
interrupt|[    9.1] irq 16: nobody cared (try booting with the "irqpoll" option)
interrupt handler|[    9.1] irq event 16: bogus return value fffffff4
debugobjects off|[    9.1] ODEBUG: Out of memory. ODEBUG disabled
DMA API|[    9.1] DMA-API: vfio-pci 0000:01:00.0: device driver frees DMA memory with different size [device address=0x1000] [map size=1 bytes] [unmap size=2 bytes]
DMA API, no device|[    9.1] DMA-API: NULL NULL: device driver maps memory from vmalloc area [addr=0] [len=1]
DMA API, off|[    9.1] DMA-API: debugging out of memory - disabling
DMA API, cache lines|[    9.1] DMA-API: cacheline tracking ENOMEM, dma-debug disabled
DMAR|[    9.1] DMAR: [DMA Write NO_PASID] Request device [01:00.0] fault addr 0x40000000 [fault reason 0x05] PTE Write access is not set
DMAR, segment|[    9.1] DMAR: [DMA Read PASID 0x1] Request device [0000:01:00.0] fault addr 0x40000000 [fault reason 0x06] PTE Read access is not set
DMAR, interrupt|[    9.1] DMAR: [INTR-REMAP] Request device [0000:01:00.0] fault index 0x25 [fault reason 0x22] Present field in the IRTE entry is clear
DMAR, status|[    9.1] DMAR: DRHD: handling fault status reg 2
DMAR, queue|[    9.1] DMAR: VT-d detected Invalidation Time-out Error: SID 0
SMMUv3|[    9.1] arm-smmu-v3 9050000.smmuv3: event 0x10 received:
SMMUv3, decoded|[    9.1] arm-smmu-v3 9050000.smmuv3: event: F_TRANSLATION client: 0000:01:00.0 sid: 0x100 ssid: 0x0 iova: 0x40000000 ipa: 0x0
SMMUv3, commands|[    9.1] arm-smmu-v3 9050000.smmuv3: CMDQ error (cons 0x01000004): Illegal command
SMMUv3, events|[    9.1] arm-smmu-v3 9050000.smmuv3: EVTQ overflow detected -- events lost
SMMUv3, global|[    9.1] arm-smmu-v3 9050000.smmuv3: unexpected global error reported (0x00000001), this could be serious
SMMU|[    9.1] arm-smmu 9050000.iommu: Unhandled context fault: fsr=0x402, iova=0x40000000, fsynr=0x1, cbfrsynra=0x1, cb=0
SMMU, global|[    9.1] arm-smmu 9050000.iommu: Unexpected global fault, this could be serious
AMD-Vi|[    9.1] AMD-Vi: Event logged [IO_PAGE_FAULT device=0000:01:00.0 domain=0x0001 address=0x40000000 flags=0x0000]
AMD-Vi, device|[    9.1] vfio-pci 0000:01:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0001 address=0x40000000 flags=0x0000]
AER|[    9.1] pcieport 0000:00:01.0: AER: Multiple Uncorrectable (Fatal) Error messages received, first one from 0000:01:00.0
AER, older|[    9.1] pcieport 0000:00:01.0: AER: Corrected error received: 0000:01:00.0
AER, device|[    9.1] vfio-pci 0000:01:00.0: PCIe Bus Error: severity=Uncorrectable (Non-Fatal), type=Transaction Layer, (Requester ID)
DPC|[    9.1] pcieport 0000:00:01.0: DPC: containment event, status:0x1f01: unmasked uncorrectable error detected
hardware|[    9.1] mce: [Hardware Error]: Machine check events logged
leak|[    9.1] kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
leak, object|[    9.1] kmemleak: unreferenced object 0xffff888004c3a000 (size 512):
leak, its file|unreferenced object (percpu) 0xffff888004c3a000 (size 8):
leak, unknown|[    9.1] kmemleak: Freeing unknown object at 0xffff888004c3a000
leak, alias|[    9.1] kmemleak: Found object by alias at 0xffff888004c3a000
kmemleak off|[    9.1] kmemleak: Cannot allocate a kmemleak_object structure
kmemleak pool|[    9.1] kmemleak: Memory pool empty, consider increasing CONFIG_DEBUG_KMEMLEAK_MEM_POOL_SIZE
no pages|[    9.1] sh: page allocation failure: order:4, mode:0x40dc0(GFP_KERNEL|__GFP_COMP|__GFP_ZERO), nodemask=(null)
page tables|[    9.1] RIP: 0010:page_table_check_set.part.0+0x1/0x2
page|[    9.1] page dumped because: nonzero _refcount
sysfs|[    9.1] sysfs: cannot create duplicate filename '/devices/x'
arm64 abort|[    9.1] Internal error: synchronous external abort: 0000000096000410 [#1]  SMP
arm64 SError|[    9.1] SError Interrupt on CPU1, code 0x00000000be000411 -- SError
init|[    9.1] init[1]: segfault at 0 ip 0000000000401000 sp 00007ffc00000000 error 4 in init[1000,401000+1000]
segfault|[    9.1] vfio_pci_dmabuf[123]: segfault at 7f0000000000 ip 0000000000401000 sp 00007ffc00000000 error 6 likely on CPU 1 (core 1, socket 0)
trap|[    9.1] traps: vfio_pci_dmabuf[123] trap invalid opcode ip:401000 sp:7ffc00000000 error:0 in vfio_pci_dmabuf[1000,401000+1000]
arm64 segfault|[    9.1] vfio_pci_dmabuf[123]: unhandled exception: DABT (lower EL), ESR 0x0000000092000007, level 3 translation fault in vfio_pci_dmabuf[1000,401000+1000]
tainted|[    9.1] CPU: 0 UID: 0 PID: 1 Comm: sh Tainted: G        W           7.1.13 #1 PREEMPT
C
CONSOLE=$(cut -d '|' -f 2- "$TMP/examples") judge "reports fail a run whose tests are all ok" 1 "^error: kernel report: .*bugs.c:112$" <<<"$good"
also "reports: only the first of many are shown" "^error: kernel report: [0-9]+ more, see results.json$"
in_root python3 -c 'import json; print(*json.load(open("/out/results.json"))["reports"], sep="\n")' >"$TMP/reports"
while IFS='|' read -r name text; do
	is "report: $name" grep -qxF -- "$text" "$TMP/reports"
done <"$TMP/examples"
is "each line of guest/reports has an example" in_root python3 -c '
import re
examples = [e.split("|", 1)[1] for e in open("/out/examples")]
patterns = [p.strip() for p in open("/in/reports") if p.strip() and not p.startswith("#")]
idle = [p for p in patterns if not any(re.search(p, e) for e in examples)]
assert patterns and not idle, idle'
CONSOLE=$(cat <<'C'
[    0.000000] Command line: page_table_check=on slub_debug=FZPU
[    0.000000] Kernel command line: page_table_check=on
[    0.000000] Unknown kernel command line parameters "page_table_check=on", will be passed to user space.
[    0.000000] x86/PAT: Configuration [0-7]: WB  WC  UC- UC  WB  WP  UC- WT
[    0.000000] kmemleak: Kernel memory leak detector initialized (mem pool available: 15758)
[    0.000000] kasan: KernelAddressSanitizer initialized (generic)
[    0.000000] kfence: initialized - using 2097152 bytes for 255 objects at 0x0-0x1
[    0.000000] kcsan: enabled early
[    0.000000] ODEBUG: selftest passed
[    0.000000] rcu: 	RCU lockdep checking is enabled.
[    0.000000] rcu: RCU calculated value of scheduler-enlistment delay is 25 jiffies.
[    0.000000] Lock dependency validator: Copyright (c) 2006 Red Hat, Inc., Ingo Molnar
[    0.000000] DMAR: Host address width 39
[    0.000000] DMAR: DRHD base: 0x000000fed90000 flags: 0x0
[    0.000000] DMAR: dmar0: reg_base_addr fed90000 ver 1:0 cap d2008c22260286 ecap f00f5e
[    0.000000] DMAR: No RMRR found
[    0.000000] DMAR: No ATSR found
[    0.000000] DMAR: No SATC found
[    0.000000] DMAR: dmar0: Using Queued invalidation
[    0.000000] DMAR: Intel(R) Virtualization Technology for Directed I/O
[    0.000000] DMAR-IR: Queued invalidation will be enabled to support x2apic and Intr-remapping.
[    0.000000] DMAR-IR: Enabled IRQ remapping in x2apic mode
[    0.000000] DMA-API: preallocated 65536 debug entries
[    0.000000] DMA-API: debugging enabled by kernel config
[    0.000000] DMA-API: dma_debug_entry pool grown to 65792 (100%)
[    0.000000] NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.
[    0.000000] watchdog: Delayed init of the lockup detector failed: -19
[    0.000000] acpi PNP0A08:00: _OSC: OS now controls [PCIeHotplug PME AER PCIeCapability LTR]
[    0.000000] pcieport 0000:00:01.0: PME: Signaling with IRQ 24
[    0.000000] pcieport 0000:00:01.0: AER: enabled with IRQ 24
[    0.000000] pcieport 0000:00:01.0: DPC: enabled with IRQ 24
[    0.000000] pcieport 0000:00:01.0: DPC: error containment capabilities: Int Msg #0, RPExt- PoisonedTLP- SwTrigger- RP PIO Log 0, DL_ActiveErr-
[    0.000000] arm-smmu-v3 arm-smmu-v3.0.auto: ias 44-bit, oas 44-bit (features 0x00000305)
[    0.000000] arm-smmu-v3 arm-smmu-v3.0.auto: allocated 65536 entries for cmdq
[    0.000000] arm-smmu-v3 arm-smmu-v3.0.auto: msi_domain absent - falling back to wired irqs
[    0.000000] AMD-Vi: AMD IOMMUv2 loaded and initialized
[    0.000000] mce: CPU supports 10 MCE banks
[    0.000000] RAS: Correctable Errors collector initialized.
[    0.000000] kmemleak: Automatic memory scanning thread started
[  149.980103] kmemleak: Cannot allocate a scan area, scanning the full object
[    0.000000] vfio-pci 0000:01:00.0: resetting
[    0.000000] CPU: 0 UID: 0 PID: 1 Comm: sh Tainted: G           O        7.1.13 #1 PREEMPT
[    0.000000] CPU: 0 UID: 0 PID: 1 Comm: sh Not tainted 7.1.13 #1 PREEMPT
C
) judge "lines of a good boot are no reports" 0 "^1 passed, 0 failed, 0 skipped$" <<<"$good"

# Reports that a test causes on purpose.
printf '%s\n' '# a comment' $'oops\tBUG: one$' 'oops BUG: two$' 'rare? BUG: three$' >"$TMP/expected"
expected() { # NAME STATUS MESSAGE LINE...
	CONSOLE=$(printf '[    9.1] %s\n' "${@:4}") judge "expected report: $1" "$2" "$3" --expected-reports /out/expected <<<"$good"
}
begin='expected-report: begin oops' end='expected-report: end oops'
expected "comes" 0 "^1 passed" "$begin" "BUG: one" "$end"
expected "another of that ID comes" 0 "^1 passed" "$begin" "BUG: two" "BUG: two" "$end"
is "expected report: is in the results" grep '"\[    9.1\] BUG: two"' "$TMP/results.json"
expected "does not come" 1 "^error: expected report did not come: oops$" "$begin" "Run /init" "$end"
expected "does not come the second time" 1 "^error: expected report did not come: oops$" "$begin" "BUG: one" "$end" "$begin" "$end"
expected "need not come" 0 "^1 passed" "expected-report: begin rare?" "expected-report: end rare?"
expected "may come" 0 "^1 passed" "expected-report: begin rare?" "BUG: three" "expected-report: end rare?"
expected "another comes with it" 1 "^error: kernel report: .*BUG: four$" "$begin" "BUG: one" "BUG: four" "$end"
alsonot "expected report: only the other is told" "kernel report: .*BUG: one"
expected "comes too early" 1 "^error: kernel report: .*BUG: one$" "BUG: one" "$begin" "BUG: one" "$end"
expected "comes too late" 1 "^error: kernel report: .*BUG: one$" "$begin" "BUG: one" "$end" "BUG: one"
expected "has no end" 1 "^error: kernel report: .*BUG: one$" "$begin" "BUG: one" "Run /init"
also "expected report: that it has no end is an error" "^error: expected report: a begin without an end: oops$"
expected "begins twice" 1 "^error: kernel report: .*BUG: one$" "$begin" "BUG: one" "$begin" "BUG: two" "$end"
expected "has no begin" 1 "^error: expected report: an end without a begin: oops$" "$end"
expected "of an ID that no list has" 1 "^error: expected report: no list has the ID other$" "expected-report: begin other"
expected "of two IDs" 0 "^1 passed" "$begin" "expected-report: begin rare?" "BUG: three" "BUG: one" "$end" "expected-report: end rare?"
fault='[    9.1] DMAR: DRHD: handling fault status reg 2
[    9.1] DMAR: [DMA Write NO_PASID] Request device [01:00.0] fault addr 0x40000000 [fault reason 0x05] PTE Write access is not set
[    9.1] arm-smmu-v3 9050000.smmuv3: event 0x10 received:
[    9.1] arm-smmu-v3 9050000.smmuv3: event: F_TRANSLATION client: 0000:01:00.0 sid: 0x100 ssid: 0x0 iova: 0x0 ipa: 0x0'
CONSOLE="[    9.1] expected-report: begin iommu-fault?
$fault
[    9.1] expected-report: end iommu-fault?" \
	judge "expected report: those of guest/expected-reports" 0 "^1 passed" --expected-reports /in/expected-reports <<<"$good"
CONSOLE=$fault judge "expected report: not without a mark" 1 "^error: kernel report: .*DMA Write" \
	--expected-reports /in/expected-reports <<<"$good"
were_run testbed/judge
done_testing
