#!/usr/bin/env python3
# vm.py [options] -- QEMU ARGUMENTS: boot a guest, show its TAP live, one line
# a test, and judge the run: from the TAP and from the kernel's log. Exit status
# 0 only when every check holds. Runs in the build root (scripts/run).
#
# The console is the first serial port (console.log); TAP comes on a virtio port
# of its own (tap.log). Both stay in the output directory.

import argparse
import os
import re
import signal
import socket
import subprocess
import sys
import time

# What the kernel prints when it has found a bug, whatever the tests said.
# Trailing context comes from the log.
REPORTS = [re.compile(p) for p in (
    r'\bBUG: ',
    r'\bWARNING: ',
    r'\bKASAN: ',
    r'\bUBSAN: ',
    r'\brefcount_t: ',
    r'\bINFO: task .* blocked.* for more than',
    r'\bINFO: rcu_\w+ (self-)?detected',
    r'\bINFO: (trying to register non-static key|lockdep is turned off)',
    r'\bpossible (circular locking|recursive locking|irq lock inversion)',
    r'\binconsistent lock state',
    r'\bwatchdog: BUG',
    r'\bODEBUG: ',
    r'\bDMA-API: ',
    r'\blist_(add|del) corruption',
    r'\bpage_table_check',
    r'\bpage dumped because',
    r': bad (pte|pmd|pud|p4d|pgd) ',
    r'\bBUG \S+ \(',
    r'\*\* \d+ printk messages dropped',
    r'x86/PAT: .*(conflicting memory types|freeing invalid memtype|, got )',
    r'\bcannot create duplicate filename',
    r'\bKernel panic',
    r'\bOops\b',
    r'\bgeneral protection fault',
    r'\bUnable to handle kernel',
    r'\binit\[1\]: segfault at ',
    r'\bTainted: [A-Z ]*[BDLW]',
)]
RESULT = re.compile(r'^((?:# |    )*)(ok|not ok)\s+(\d+)\s*-?\s*(.*)$')
PLAN = re.compile(r'^((?:# |    )*)1\.\.(\d+)\s*(?:# *SKIP *(.*))?$')
HEADER = re.compile(r'^# selftests: (\S+): (\S+)$')
SKIP = re.compile(r'#\s*SKIP\b\s*(.*)$', re.I)


class Tap:
    """Collects results; a program's own results count, not the line for it."""

    def __init__(self, show):
        self.show = show
        self.counts = {'passed': 0, 'failed': 0, 'skipped': 0}
        self.skips, self.failures, self.errors = [], [], []
        self.names, self.passed = [], set()
        self.plan = None            # of the whole run
        self.top = 0                # top-level results seen
        self.verdict = None         # exit status of the job
        self.begin(None)

    def begin(self, program):
        self.program, self.sub_plan, self.sub = program, None, 0

    def count(self, kind, name, why=''):
        self.counts[kind] += 1
        self.names.append(name)
        if kind == 'passed':
            self.passed.add(name)
        if kind == 'skipped':
            self.skips.append((name, why))
        elif kind == 'failed':
            self.failures.append(name)
        self.show(f'{"ok" if kind == "passed" else "SKIP" if kind == "skipped" else "FAIL":4} '
                  f'{name}{" # " + why if why else ""}')

    def line(self, line):
        m = re.match(r'^# job: exit (\d+)$', line)
        if m:
            self.verdict = int(m[1])
            return
        m = HEADER.match(line)
        if m:
            self.begin(f'{m[1]}:{m[2]}')
            return
        m = PLAN.match(line)
        if m:
            if not m[1]:
                if self.plan is not None:
                    self.errors.append('a second plan line for the run')
                self.plan = int(m[2])
            elif self.sub_plan is None and len(m[1]) in (2, 4):
                self.sub_plan = int(m[2])
            return
        m = RESULT.match(line)
        if not m:
            return
        skip = SKIP.search(m[4])
        kind = 'skipped' if skip else 'passed' if m[2] == 'ok' else 'failed'
        name = SKIP.sub('', m[4]).strip()
        if m[1]:
            if m[1] == '# ' and self.program:
                self.sub += 1
                self.count(kind, f'{self.program} {name}', skip[1].strip() if skip else '')
            return
        # The line for a whole program.
        self.top += 1
        program = self.program or name
        if self.sub == 0:
            self.count(kind, program, skip[1].strip() if skip else '')
            if self.sub_plan or (self.sub_plan == 0 and kind == 'passed'):
                self.errors.append(f'{program}: {self.sub_plan} tests planned, none reported')
        else:
            if self.sub_plan is None:
                self.errors.append(f'{program}: results without a plan')
            elif self.sub != self.sub_plan:
                self.errors.append(f'{program}: {self.sub_plan} tests planned, {self.sub} reported')
            if kind == 'failed' and not any(f.startswith(program + ' ') for f in self.failures):
                self.count('failed', f'{program} ({name.split("#", 1)[-1].strip()})')
        self.begin(None)

    def end(self):
        if self.plan is None:
            self.errors.append('no plan line: the tests did not start')
        elif self.top != self.plan:
            self.errors.append(f'{self.plan} programs planned, {self.top} reported')
        if self.verdict is None:
            self.errors.append('no verdict: the guest ended before its job did')


def reports(path):
    """The lines of the kernel log that tell of a bug."""
    found = []
    with open(path, errors='replace') as f:
        for line in f:
            if 'ommand line: ' not in line and any(r.search(line) for r in REPORTS):
                found.append(line.strip())
    return found


def patterns(path):
    if not path:
        return []
    with open(path) as f:
        return [re.compile(line.strip()) for line in f
                if line.strip() and not line.startswith('#')]


def matches(regexps, text):
    return any(r.search(text) for r in regexps)


class Guest:
    def __init__(self, out, argv):
        self.out = out
        for f in ('console.log', 'tap.log', 'con.sock', 'qmp.sock'):
            try:
                os.unlink(f'{out}/{f}')
            except FileNotFoundError:
                pass
        open(f'{out}/tap.log', 'w').close()
        argv = argv + [
            '-display', 'none', '-monitor', 'none',
            '-chardev', f'socket,id=con,path={out}/con.sock,server=on,wait=off,logfile={out}/console.log',
            '-serial', 'chardev:con',
            '-qmp', f'unix:{out}/qmp.sock,server=on,wait=off',
            '-chardev', f'file,id=tap,path={out}/tap.log',
            '-device', 'virtio-serial-pci', '-device', 'virtserialport,name=tap,chardev=tap']
        self.proc = subprocess.Popen(argv, stdin=subprocess.DEVNULL)

    def dump_state(self):
        """Blocked tasks, all tasks, held locks, by sysrq, into the console log."""
        import json
        try:
            con = socket.socket(socket.AF_UNIX)
            con.connect(f'{self.out}/con.sock')
            qmp = socket.socket(socket.AF_UNIX)
            qmp.connect(f'{self.out}/qmp.sock')
            qmp.settimeout(5)
            qmp.sendall(b'{"execute":"qmp_capabilities"}')
            for key in b'wdtl':
                cmd = {'execute': 'chardev-send-break', 'arguments': {'id': 'con'}}
                qmp.sendall(json.dumps(cmd).encode())
                time.sleep(0.3)
                con.sendall(bytes([key]))
                # The task list of a debug kernel is long.
                con.settimeout(3)
                end = time.time() + 20
                try:
                    while time.time() < end and con.recv(65536):
                        pass
                except OSError:
                    pass
        except OSError as e:
            print(f'state of the hung guest could not be dumped: {e}')

    def kill(self):
        if self.proc.poll() is None:
            self.proc.kill()
            self.proc.wait()


def run(a, argv, tap, line):
    """Run the guest to its end; returns why it was stopped, if it was."""
    t0 = last = time.time()
    guest = Guest(a.out, argv)
    buf, seen, stop, verdict = '', 0, None, None
    try:
        with open(f'{a.out}/tap.log', errors='replace') as f:
            while True:
                ended = guest.proc.poll() is not None
                chunk = f.read()
                buf += chunk
                while '\n' in buf:
                    text, buf = buf.split('\n', 1)
                    line(text)
                now = time.time()
                size = os.path.getsize(f'{a.out}/console.log') if os.path.exists(f'{a.out}/console.log') else 0
                if chunk or size != seen:
                    last, seen = now, size
                if ended:
                    break
                if tap.verdict is not None:
                    verdict = verdict or now
                if verdict and now - verdict > 60:
                    stop = 'the guest did not power off within 60 s after its job'
                elif now - t0 > a.timeout:
                    stop = f'time-out: the run took more than {a.timeout} s'
                elif now - last > a.silence:
                    stop = f'time-out: the guest said nothing for {a.silence} s'
                if stop:
                    guest.dump_state()
                    break
                time.sleep(0.1)
    except KeyboardInterrupt:
        print('interrupted')
        guest.kill()
        sys.exit(130)
    finally:
        guest.kill()
    if not stop and guest.proc.returncode:
        stop = f'QEMU failed with status {guest.proc.returncode}'
    return stop


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--out', required=True)
    p.add_argument('--timeout', type=int, default=1800, help='seconds for the whole run')
    p.add_argument('--silence', type=int, default=300, help='seconds without a line from the guest')
    p.add_argument('--floor', type=int, default=0, help='least number of tests that must have run')
    p.add_argument('--control', help='file of regular expressions: tests that must not pass here')
    p.add_argument('--expected-skips', action='append', default=[], help='file of regular expressions')
    p.add_argument('--job', action='store_true', help='not tests: show the output, judge the exit status')
    p.add_argument('--judge', action='store_true', help='boot nothing, judge the logs that are there')
    p.add_argument('qemu', nargs=argparse.REMAINDER)
    a = p.parse_args()
    argv = a.qemu[1:] if a.qemu[:1] == ['--'] else a.qemu

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    t0 = time.time()
    tap = Tap(lambda s: print(f'[{time.time() - t0:5.0f} s] {s}', flush=True))

    def line(text):
        text = text.rstrip('\r\n')
        if a.job and not text.startswith('# job: exit'):
            print(text, flush=True)
        tap.line(text)

    stop = None
    if a.judge:
        with open(f'{a.out}/tap.log', errors='replace') as f:
            for text in f:
                line(text)
    else:
        stop = run(a, argv, tap, line)

    errors = []
    if stop:
        errors.append(stop)
    bugs = reports(f'{a.out}/console.log')
    if a.job:
        if tap.verdict is None:
            errors.append('no verdict: the guest ended before its job did')
        elif tap.verdict:
            errors.append(f'the job in the guest failed with status {tap.verdict}')
    else:
        tap.end()
        if tap.verdict not in (0, None) and not tap.failures:
            errors.append(f'the job in the guest failed with status {tap.verdict}, with no test that failed')
        expected = [r for f in a.expected_skips for r in patterns(f)]
        ours = patterns(a.control)
        if a.control:
            # On the base kernel the tests of the series have to notice.
            mine = [t for t in tap.names if matches(ours, t)]
            wrong = [t for t in mine if t in tap.passed]
            errors += [f'passes without the code it tests: {t}' for t in wrong]
            if not mine:
                errors.append('no test of the series was run')
            print(f'negative control: {len(mine) - len(wrong)} of {len(mine)} tests of the series '
                  'failed or skipped on the base kernel')
            tap.failures = [t for t in tap.failures if not matches(ours, t)]
            tap.skips = [s for s in tap.skips if not matches(ours, s[0])]
        errors += [f'unexpected skip: {name}: {why}' for name, why in tap.skips
                   if not matches(expected, f'{name}: {why}')]
        done = tap.counts['passed'] + tap.counts['failed']
        if done < a.floor:
            errors.append(f'{done} tests executed, fewer than the floor of {a.floor}')
        errors += [f'failed: {t}' for t in tap.failures] + tap.errors
    errors += [f'kernel report: {b}' for b in bugs[:20]]
    if errors and (stop or tap.verdict is None):
        with open(f'{a.out}/console.log', errors='replace') as f:
            sys.stdout.write('last lines of the console:\n' + ''.join(
                '    ' + line for line in f.readlines()[-15:]))
            print()
    for e in errors:
        print(f'error: {e}')
    if not a.job:
        print('{passed} passed, {failed} failed, {skipped} skipped'.format(**tap.counts), flush=True)
    return 1 if errors else 0


if __name__ == '__main__':
    sys.exit(main())
