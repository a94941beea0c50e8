#!/usr/bin/env bash
# Runs that must end badly, and say why: each boots the guest of the debug
# kernel, which 'make kselftest' has built.
. "$(dirname "$0")/lib.sh"
# Others may be at the same, also in other checkouts. To look for leaks takes time, the
# more the larger the guest is.
export RUN=bench-test.$$ MEM=2G APPEND=kmemleak=off
trap 'rm -rf "$TMP"; [ $failures -gt 0 ] || rm -rf "$BUILD/run/$LINUX/$RUN" "$BUILD/lock/run/$LINUX.$RUN"' EXIT

run() { # NAME STATUS MESSAGE [VARIABLE=VALUE]...: the job is standard input
	local name=$1 status=$2 message=$3
	shift 3
	cat >"$TMP/job"
	expect "$name" "$status" "$message" env "$@" "$TOP/scripts/run" tap "$TMP/job"
}
log=$BUILD/run/$LINUX/$RUN/console.log

run "a run that is good, with limits that fit TCG" 0 "^4 passed, 0 failed, 0 skipped$" ACCEL=tcg <<'J'
echo TAP version 13
echo 1..4
n=0
while read -r file limit; do
	n=$((n + 1))
	[ "$(cat $file)" = $limit ] && echo "ok $n $file" || echo "not ok $n $file"
done <<L
/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout 100
/proc/sys/kernel/watchdog_thresh 60
/sys/module/workqueue/parameters/watchdog_thresh 120
/proc/sys/kernel/hung_task_timeout_secs 300
L
J
mkdir "$TMP/shared"
echo 'from the host' >"$TMP/shared/file"
run "SHARE and QEMU_ARGS" 0 "^2 passed, 0 failed, 0 skipped$" SHARE="$TMP/shared" QEMU_ARGS='-device e1000e,romfile=' <<'J'
echo 1..2
grep -qx 'from the host' /share/file && echo ok 1 share || echo not ok 1 share
grep -q 0x10d3 /sys/bus/pci/devices/*/device && echo ok 2 device || echo not ok 2 device
echo 'from the guest' >/share/new
J
is "SHARE: what the guest had at its end" grep -x 'from the guest' "${log%/*}/share/new"
isnt "SHARE: is not written to" test -e "$TMP/shared/new"
run "a panic at boot" 1 "error: no verdict" APPEND="rdinit=/usr/bin/timeout" <<'J'
echo 1..1
echo ok 1 one
J
is "a panic at boot shows the end of the console" grep "Kernel panic" "$TMP/out"
# Its plan has come: a guest that boots too slowly has none.
run "a guest that hangs" 3 "^error: the time ran out before the first result$" SILENCE=20 <<'J'
echo 1..1
sleep 1000
J
is "a guest that hangs: for how long" grep -x "error: time-out: the guest said nothing for 20 s" "$TMP/out"
is "a guest that hangs has its blocked tasks in the log" grep "sysrq: Show Blocked State" "$log"
is "a guest that hangs has all its tasks in the log" grep "sysrq: Show State" "$log"
is "a guest that hangs has its locks in the log" grep "Showing all locks held in the system" "$log"
# Every class of report of the kernel, while all tests say ok.
run "reports of the kernel fail a run whose tests are all ok" 1 "^1 passed, 0 failed, 0 skipped$" <<'J'
echo 1..1
echo ok 1 one
modprobe lkdtm
echo 5 >/proc/sys/kernel/hung_task_timeout_secs
crash=/sys/kernel/debug/provoke-crash/DIRECT
for c in WARNING REFCOUNT_INC_ZERO ARRAY_BOUNDS CORRUPT_LIST_ADD SLAB_LINEAR_OVERFLOW; do
	( echo $c >$crash ) 2>/dev/null
done
( echo HUNG_TASK >$crash ) &
sleep 12
# This kernel cannot be trusted to power off any more.
echo "# job: exit 0"
sleep 1
echo b >/proc/sysrq-trigger
J
while read -r class pattern; do
	is "report is noticed: $class" grep -E "error: kernel report: .*$pattern" "$TMP/out"
done <<'C'
WARN WARNING: .*lkdtm
refcount refcount_t: 
UBSAN UBSAN: array-index-out-of-bounds
list list_add corruption
KASAN KASAN: 
hung-task INFO: task .* blocked for more than
C
run "a leak fails a run" 1 "^error: kernel report: .*kmemleak: [0-9]+ new suspected memory leaks" APPEND= <<'J'
echo 1..1
modprobe kmemleak-test && echo ok 1 one || echo not ok 1 one
J
is "a leak is shown" grep -E "^error: kernel report: .*unreferenced object" "$TMP/out"
# Lockdep is off after the first of them.
run "a lockdep report fails a run" 1 "error: kernel report: .*lock held when returning to user space" <<'J'
echo 1..1
echo ok 1 one
modprobe lkdtm
( echo SPINLOCKUP >/sys/kernel/debug/provoke-crash/DIRECT ) &
sleep 3
echo "# job: exit 0"
sleep 1
echo b >/proc/sysrq-trigger
J

echo 'sleep 1000' >"$TMP/job"
"$TOP/scripts/run" tap "$TMP/job" >/dev/null 2>&1 &
pid=$!
for _ in $(seq 300); do
	[ -z "$(pgrep -f "^/mnt/qemu.* -name $RUN " || true)" ] || break
	sleep 0.2
done
is "the run to be interrupted has started" pgrep -f "^/mnt/qemu.* -name $RUN "
kill -TERM $pid 2>/dev/null || true
wait $pid 2>/dev/null || true
sleep 2
isnt "an interrupted run leaves no QEMU behind" pgrep -f "^/mnt/qemu.* -name $RUN "
were_run testbed/guest
done_testing
