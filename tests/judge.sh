#!/usr/bin/env bash
# How a run is judged, from logs made up here: each thing that must fail a run
# does, and says so.
. "$(dirname "$0")/lib.sh"

judge() { # NAME STATUS MESSAGE [OPTION...]: TAP is standard input; CONSOLE the kernel log
	local name=$1 status=$2 message=$3
	shift 3
	cat >"$TMP/tap.log"
	printf '%s\n' "${CONSOLE:-[    1.0] Run /init as init process}" >"$TMP/console.log"
	expect "$name" "$status" "$message" \
		sandbox --ro-bind "$TOP/scripts" /src --bind "$TMP" /out -- python3 /src/vm.py --judge --out /out "$@"
}
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
judge "fewer tests than the floor" 1 "error: 1 tests executed, fewer than the floor of 2" --floor 2 <<<"$good"
skip='1..1
ok 1 one # SKIP no reason
# job: exit 0'
judge "a skip that is not expected" 1 "error: unexpected skip: one: no reason" <<<"$skip"
judge "a skip that is expected" 0 "^0 passed, 0 failed, 1 skipped$" --expected-skips <(echo '^one: no') <<<"$skip"
judge "all skipped is below every floor" 1 "error: 0 tests executed" --floor 1 --expected-skips <(echo '^one: no') <<<"$skip"
judge "control: a test of the series that passes on the base" 1 "error: passes without the code it tests: one" \
	--control <(echo '^one$') <<<"$good"
judge "control: a test of the series that skips on the base" 0 "1 of 1 tests of the series failed or skipped" \
	--control <(echo '^one$') <<<"$skip"
judge "control: none of the tests was run" 1 "error: no test of the series was run" --control <(echo '^two$') <<<"$good"
while IFS='|' read -r name text; do
	CONSOLE=$text judge "report: $name" 1 "error: kernel report: " <<<"$good"
done <<'C'
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
C
done_testing
