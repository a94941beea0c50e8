#!/usr/bin/env python3
# vm.py [options] -- QEMU ARGUMENTS: boot a guest, show its TAP live, one line
# a test, and judge the run: from the TAP and from the kernel's log. Runs in the
# build root (scripts/run).
#
# Exit status:
#   0  every check holds
#   1  a test failed, the kernel reported something, or another check does not hold
#   2  wrong usage
#   3  infrastructure: the run says nothing about the tests. QEMU did not start, the
#      guest never came to its job, the time ran out before the first result, or a
#      file is missing. A report of the kernel makes it 1: a panic at boot is a finding.
#
# In the output directory: console.log, the first serial port; tap.log, what came
# on a virtio port of its own; results.json and results.xml (JUnit).
#
# A report that a test causes on purpose is excused between two lines of the kernel's
# log, which the test writes to /dev/kmsg: "expected-report: begin ID" and
# "expected-report: end ID". --expected-reports says what ID excuses. It has to come,
# unless ID ends in "?": the kernel limits the rate of some reports.

import argparse
import collections
import dataclasses
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

RESULT = re.compile(r'^((?:# |    )*)(ok|not ok)\s+\d+\s*-?\s*(.*)$')
PLAN = re.compile(r'^((?:# |    )*)1\.\.(\d+)\s*(?:# *SKIP *(.*))?$')
HEADER = re.compile(r'^# selftests: (\S+): (\S+)$')
VERDICT = re.compile(r'^# job: exit (\d+)$')
# What follows the name: of a test, or of the line of kselftest's runner for a program.
DIRECTIVE = re.compile(r'\s*#\s*((?:SKIP|XFAIL|TIMEOUT|exit=)\b.*)$', re.I)
SKIP = re.compile(r'SKIP\b\s*', re.I)
# "ok" for a failure that the test itself expects: like a skip, it has to be on the list.
XFAIL = re.compile(r'XFAIL\b', re.I)
# A program that was not there, could not be run, took too long or died of a signal.
DIED = re.compile(r'^(TIMEOUT\b|Warning: file |exit=(12[6-9]|1[3-9]\d|2\d\d)\b)')
# The harness' frame of each test, which says nothing about why it failed.
FRAME = re.compile(r'^(# )*(#\s+(RUN|OK|FAIL)\s|K?TAP version )')
PROGRAM = re.compile(r'^\S+:\S+')

MARK = re.compile(r'\bexpected-report: (begin|end) (\S+)\s*$')
# It names options that look like reports.
COMMAND_LINE = re.compile(r'\b[Cc]ommand line(: | parameters )')

SHOWN = 20      # of a kind of error; results.json has them all


class Infrastructure(Exception):
    """The run says nothing about the tests."""


def remove(*paths):
    for path in paths:
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass


def entries(path):
    """The lines of a data file that are neither empty nor a comment."""
    try:
        with open(path) as f:
            return [text for text in map(str.strip, f) if text and not text.startswith('#')]
    except OSError as e:
        raise Infrastructure(f'{path}: {e.strerror}') from e


def regexp(path, text):
    try:
        return re.compile(text)
    except re.error as e:
        raise Infrastructure(f'{path}: bad regular expression {text!r}: {e}') from e


def patterns(paths):
    return [regexp(path, text) for path in paths for text in entries(path)]


def matches(regexps, text):
    return any(r.search(text) for r in regexps)


def program_of(name):
    """"collection:program test" -> "collection:program"; other tests are on their own."""
    m = PROGRAM.match(name)
    return m[0] if m else name


class Lists:
    """What the data files say; all are read before the guest is started."""

    def __init__(self, a):
        self.reports = patterns([a.reports])
        self.skips = patterns(a.expected_skips)
        self.control = patterns([a.control] if a.control else [])
        # A name that several tests have is there as often.
        self.names = collections.Counter()
        for path in a.names:
            self.names |= collections.Counter(entries(path))
        self.expected_reports = {}
        for path in a.expected_reports:
            for text in entries(path):
                mark, *pattern = text.split(None, 1)
                if not pattern:
                    raise Infrastructure(f'{path}: no regular expression for {mark}')
                self.expected_reports.setdefault(mark, []).append(regexp(path, pattern[0]))
        only = [regexp('--only', a.only)] if a.only else []
        # Names that this run has to have.
        self.wanted = collections.Counter(n for n in self.names.elements() if not only or matches(only, n))
        self.control_names = collections.Counter({
            n for path in a.control_names for n in entries(path)
            if matches(self.control, n) and (not only or matches(only, n))})


@dataclasses.dataclass
class Result:
    name: str
    outcome: str                # passed, failed or skipped
    reason: str                 # of a skip; how a program ended
    seconds: float              # since the start of the run
    diagnostics: list           # what came since the previous result
    program: str
    is_test: bool = True        # else a program that failed though none of its tests did
    excused: bool = False       # need not pass: a test of the series, on the base kernel


@dataclasses.dataclass
class Program:
    outcome: str
    reason: str
    tests: int                  # results of its own


class Tap:
    """Collects results; a program's own results count, not the line for it."""

    def __init__(self, show):
        self.show = show            # called with each Result
        self.start = time.monotonic()
        self.results, self.errors = [], []
        self.programs = {}          # name: Program, when it has ended
        self.plan = None            # of the whole run
        self.top = 0                # top-level results seen
        self.verdict = None         # exit status of the job
        self.began = False          # anything came at all
        self.begin(None)

    def begin(self, program):
        self.program, self.sub_plan, self.sub, self.why_none = program, None, 0, ''
        self.diagnostics = collections.deque(maxlen=12)

    def names(self):
        return collections.Counter(r.name for r in self.results if r.is_test)

    def count(self, outcome):
        return sum(r.outcome == outcome for r in self.results)

    def add(self, outcome, name, reason='', **more):
        lines = [re.sub(r'^(# )+', '', text) for text in self.diagnostics]
        self.diagnostics.clear()
        self.results.append(Result(name, outcome, reason, round(time.monotonic() - self.start, 1), lines,
                                   self.program or '', **more))
        self.show(self.results[-1])

    def line(self, line):
        self.began = True
        if m := VERDICT.match(line):
            self.verdict = int(m[1])
        elif m := HEADER.match(line):
            self.begin(f'{m[1]}:{m[2]}')
        elif m := PLAN.match(line):
            self.planned(m[1], int(m[2]), m[3] or '')
        elif (m := RESULT.match(line)) and (not m[1] or m[1] == '# ' and self.program):
            self.result(bool(m[1]), m[2], m[3].strip())
        elif not FRAME.match(line) and not (m and m[2] == 'ok'):
            self.diagnostics.append(line)

    def planned(self, prefix, number, why_none):
        if not prefix:
            if self.plan is not None:
                self.errors.append('a second plan line for the run')
            self.plan = number
        elif self.sub_plan is None and len(prefix) in (2, 4):
            self.sub_plan, self.why_none = number, why_none

    def result(self, in_program, ok, text):
        outcome = 'passed' if ok == 'ok' else 'failed'
        m = DIRECTIVE.search(text)
        name, reason = (text[:m.start()], m[1].strip()) if m else (text, '')
        # "not ok" with either is a failure.
        if outcome == 'passed' and SKIP.match(reason):
            outcome, reason = 'skipped', SKIP.sub('', reason, count=1)
        elif outcome == 'passed' and XFAIL.match(reason):
            outcome = 'skipped'
        # ksft_test_result_skip() has the name of the test behind "SKIP".
        name = name or reason
        if in_program:
            self.sub += 1
            self.add(outcome, f'{self.program} {name}', reason)
        else:
            self.end_of_program(self.program or name, outcome, reason)

    def end_of_program(self, program, outcome, reason):
        self.top += 1
        if self.sub == 0:
            reason = reason or self.why_none
            if outcome == 'failed' and not reason:
                # The runner has no directive for a program that is not there.
                reason = next((w[2:] for w in self.diagnostics if w.startswith('# Warning: file ')), '')
            self.add(outcome, program, reason)
            if self.sub_plan or (self.sub_plan == 0 and outcome == 'passed'):
                self.errors.append(f'{program}: {self.sub_plan} tests planned, none reported')
        else:
            if self.sub_plan is None:
                self.errors.append(f'{program}: results without a plan')
            elif self.sub != self.sub_plan:
                self.errors.append(f'{program}: {self.sub_plan} tests planned, {self.sub} reported')
            if outcome == 'failed' and not any(r.outcome == 'failed' for r in self.results[-self.sub:]):
                self.add('failed', f'{program} ({reason or "as a whole"})', is_test=False)
        self.programs[program] = Program(outcome, reason, self.sub)
        self.begin(None)

    def end(self):
        if self.plan is None:
            self.errors.append('no plan line: the tests did not start')
        elif self.top != self.plan:
            self.errors.append(f'{self.plan} programs planned, {self.top} reported')
        if self.verdict is None:
            self.errors.append('no verdict: the guest ended before its job did')
        return self.errors


class Console:
    """Finds what the kernel reports, and what of it was expected."""

    def __init__(self, reports, expected):
        self.patterns, self.expected = reports, expected
        self.reports, self.excused, self.errors = [], [], []
        self.open = {}          # ID that has begun: lines that match it

    def is_report(self, text):
        return matches(self.patterns, text) and not COMMAND_LINE.search(text)

    def read(self, path):
        try:
            with open(path, errors='replace') as f:
                for text in f:
                    self.line(text.strip())
        except OSError as e:
            raise Infrastructure(f'{path}: {e.strerror}') from e
        for mark in list(self.open):
            self.unended(mark)

    def line(self, text):
        if m := MARK.search(text):
            self.mark(*m.groups())
            return
        lists = [lines for mark, lines in self.open.items() if matches(self.expected[mark], text)]
        for lines in lists:
            lines.append(text)
        if not lists and self.is_report(text):
            self.reports.append(text)

    def mark(self, what, mark):
        if mark not in self.expected:
            self.errors.append(f'expected report: no list has the ID {mark}')
        elif what == 'begin':
            if mark in self.open:
                self.unended(mark)
            self.open[mark] = []
        elif mark not in self.open:
            self.errors.append(f'expected report: an end without a begin: {mark}')
        elif lines := self.open.pop(mark):
            self.excused += lines
        elif not mark.endswith('?'):
            self.errors.append(f'expected report did not come: {mark}')

    def unended(self, mark):
        """Nothing is excused by a begin without an end."""
        self.errors.append(f'expected report: a begin without an end: {mark}')
        self.reports += filter(self.is_report, self.open.pop(mark))


class Guest:
    def __init__(self, out, argv):
        self.out = out
        remove(f'{out}/con.sock', f'{out}/qmp.sock')
        for f in ('console.log', 'tap.log'):
            open(f'{out}/{f}', 'w').close()
        argv = argv + [
            '-display', 'none', '-monitor', 'none',
            '-chardev', f'socket,id=con,path={out}/con.sock,server=on,wait=off,logfile={out}/console.log',
            '-serial', 'chardev:con',
            '-qmp', f'unix:{out}/qmp.sock,server=on,wait=off',
            '-chardev', f'file,id=tap,path={out}/tap.log',
            '-device', 'virtio-serial-pci', '-device', 'virtserialport,name=tap,chardev=tap']
        try:
            self.proc = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
        except OSError as e:
            raise Infrastructure(f'QEMU did not start: {argv[0]}: {e.strerror}') from e

    def dump_state(self):
        """Blocked tasks, all tasks, held locks, by sysrq, into the console log."""
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
                size = os.path.getsize(f'{a.out}/console.log')
                if chunk or size != seen:
                    last, seen = now, size
                if ended:
                    break
                if tap.verdict is not None:
                    verdict = verdict or now
                if verdict and now - verdict > 60 and a.timeout:
                    stop = 'the guest did not power off within 60 s after its job'
                elif 0 < a.timeout < now - t0:
                    stop = f'time-out: the run took more than {a.timeout} s'
                elif 0 < a.silence < now - last:
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


def replay(path, line):
    try:
        with open(path, errors='replace') as f:
            for text in f:
                line(text)
    except OSError as e:
        raise Infrastructure(f'{path}: {e.strerror}') from e


class Screen:
    """One line a test, with the time, how many of the wanted ones are done, and what is left by last time's."""

    def __init__(self, wanted, verbose, last):
        self.t0, self.verbose, self.last = time.monotonic(), verbose, last
        self.left, self.total = wanted.copy(), wanted.total()

    def show(self, r):
        seconds = time.monotonic() - self.t0
        when = f'{seconds:5.0f} s'
        if self.total:
            self.left -= collections.Counter([r.name])
            when += f', {self.total - self.left.total():{len(str(self.total))}}/{self.total}'
        if self.last > seconds:
            when += f', about {self.last - seconds:.0f} s left'
        word = {'passed': 'ok', 'failed': 'FAIL', 'skipped': 'SKIP'}[r.outcome]
        print(f'[{when}] {word:4} {r.name}{" # " + r.reason if r.reason else ""}')
        if r.outcome == 'failed' and not self.verbose:
            for text in r.diagnostics:
                print(f'        {text}')
        sys.stdout.flush()


def capped(what, names):
    more = [f'{what}: {len(names) - SHOWN} more, see results.json'] if len(names) > SHOWN else []
    return [f'{what}: {name}' for name in names[:SHOWN]] + more


def check_names(a, lists, tap):
    """Every test of the lists was run, and no other."""
    if not a.names:
        return []
    extra = sorted((tap.names() - lists.names).elements())
    errors = capped('missing', sorted((lists.wanted - tap.names()).elements()))
    if extra and a.strict_names:
        errors += capped('not in the list of names', extra)
    elif extra:
        files = ', '.join(map(os.path.basename, a.names))
        print(f'{len(extra)} tests are not in {files}: {", ".join(extra[:5])}{", ..." if extra[5:] else ""}')
    return errors


def check_control(a, lists, tap):
    """On the base kernel each test of the series is run, and does not pass; no other reason counts."""
    mine = [r for r in tap.results if matches(lists.control, r.name)]
    tests = [r for r in mine if r.is_test]
    seen = set(tap.names())
    wrong = [r.name for r in tests if r.outcome == 'passed']
    errors = [f'passes without the code it tests: {name}' for name in wrong]
    if not tests:
        errors.append('no test of the series was run')
    # Of a part of the suite it is not known which of them are in it.
    idle = [] if a.only else [c.pattern for c in lists.control if not any(c.search(r.name) for r in tests)]
    errors += [f'control: no test was run that matches {pattern}' for pattern in idle]
    if a.control_names and not lists.control_names:
        errors.append('no name in the lists is of the series')
    for program in sorted({program_of(name) for name in {*lists.control_names, *(r.name for r in mine)}}):
        end = tap.programs.get(program)
        lost = sorted(name for name in set(lists.control_names) - seen if program_of(name) == program)
        if end and DIED.match(end.reason):
            errors.append(f'control: {program} proves nothing: {end.reason}')
        elif lost and not end:
            errors.append(f'control: {program} was not run')
        elif lost and not end.tests:
            errors.append(f'control: {program} {end.outcome} as a whole, {len(lost)} of its tests were not run: '
                          f'{end.reason or "no reason given"}')
        else:
            errors += capped('control: missing', lost)
    for r in mine:
        r.excused = True
    print(f'negative control: {len(tests) - len(wrong)} of {len(tests)} tests of the series '
          'failed or skipped on the base kernel')
    return errors


def check_tests(a, lists, tap):
    """What is wrong with the results, apart from tests that failed."""
    errors = list(tap.end())
    if tap.verdict not in (0, None) and not tap.count('failed'):
        errors.append(f'the job in the guest failed with status {tap.verdict}, with no test that failed')
    if a.control:
        errors += check_control(a, lists, tap)
    elif not tap.count('passed') + tap.count('failed'):
        errors.append('nothing was tested: no test passed or failed')
    errors += [f'unexpected skip: {r.name}: {r.reason}' for r in tap.results
               if r.outcome == 'skipped' and not r.excused and not matches(lists.skips, f'{r.name}: {r.reason}')]
    return errors + check_names(a, lists, tap)


def check_job(tap):
    if tap.verdict is None:
        return ['no verdict: the guest ended before its job did']
    return [f'the job in the guest failed with status {tap.verdict}'] if tap.verdict else []


def never_began(a, tap, stop):
    """Why the run says nothing about the tests, if it does not."""
    began = tap.began if a.job else tap.plan is not None or tap.results
    if tap.verdict is None and not began:
        return ['the guest never came to its job']
    if stop and stop.startswith('time-out') and not a.job and not tap.results:
        return ['the time ran out before the first result']
    return []


def write_json(a, tap, more):
    try:
        with open(f'{a.out}/manifest', errors='replace') as f:
            manifest = f.read()
    except FileNotFoundError:
        manifest = None
    with open(f'{a.out}/results.json', 'w') as f:
        json.dump({**more, 'tests': [dataclasses.asdict(r) for r in tap.results], 'manifest': manifest}, f, indent=1)
        f.write('\n')


def xml_text(text):
    """Without the characters that XML cannot have."""
    return re.sub('[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]', '?', text)


def testcase(suite, name, seconds, kind=None, message='', text=''):
    case = ET.SubElement(suite, 'testcase', classname=suite.get('name'), name=xml_text(name), time=f'{seconds:.1f}')
    if kind:
        ET.SubElement(case, kind, message=xml_text(message)).text = xml_text(text)


def write_xml(a, tap, infrastructure, errors, reports):
    suites = ET.Element('testsuites')
    suite = {}
    before = 0
    for r in tap.results:
        program = r.program or 'tests'
        if program not in suite:
            suite[program] = ET.SubElement(suites, 'testsuite', name=xml_text(program))
        kind, message = {'passed': None, 'failed': 'failure', 'skipped': 'skipped'}[r.outcome], r.reason
        if kind == 'failure' and r.excused:
            kind, message = 'skipped', 'fails on the base kernel, as it must'
        testcase(suite[program], r.name.removeprefix(program + ' '), r.seconds - before, kind,
                 message or '; '.join(r.diagnostics[:1]), '\n'.join(r.diagnostics))
        before = r.seconds
    bench = ET.SubElement(suites, 'testsuite', name='run')
    errors = infrastructure + errors
    testcase(bench, 'run', 0, 'error' if infrastructure else 'failure' if errors else None,
             ''.join(errors[:1]), '\n'.join(errors))
    testcase(bench, 'kernel', 0, 'failure' if reports else None, ''.join(reports[:1]), '\n'.join(reports))
    for s in suites:
        s.set('tests', str(len(s)))
        for attribute, kind in ('failures', 'failure'), ('errors', 'error'), ('skipped', 'skipped'):
            s.set(attribute, str(len(s.findall(f'testcase/{kind}'))))
    ET.ElementTree(suites).write(f'{a.out}/results.xml', encoding='utf-8', xml_declaration=True)


def finish(a, lists, tap, stop):
    """Judge what there is, say what is wrong, leave the results; returns the exit status."""
    console = Console(lists.reports, lists.expected_reports)
    console.read(f'{a.out}/console.log')
    errors = check_job(tap) if a.job else check_tests(a, lists, tap)
    errors = ([stop] if stop else []) + errors + console.errors
    if a.control:
        # Its bugs, which the tests of the series are there to show.
        for text in console.reports:
            print(f'the base kernel reports: {text}')
        console.excused += console.reports
        console.reports = []
    failed = [] if a.job else [r.name for r in tap.results if r.outcome == 'failed' and not r.excused]
    infrastructure = never_began(a, tap, stop)
    status = (1 if failed or console.reports else 3 if infrastructure else 1 if errors else 0)

    if a.write_names:
        with open(a.write_names, 'w') as f:
            f.writelines(f'{name}\n' for name in sorted(tap.names().elements()))
    counts = {outcome: tap.count(outcome) for outcome in ('passed', 'failed', 'skipped')}
    write_json(a, tap, {
        'status': status, 'counts': counts, 'seconds': round(time.monotonic() - tap.start, 1), 'failed': failed,
        'infrastructure': infrastructure, 'errors': errors, 'missing': sorted((lists.wanted - tap.names()).elements()),
        'reports': console.reports, 'excused reports': console.excused})
    write_xml(a, tap, infrastructure, errors, console.reports)

    if stop or tap.verdict is None:
        with open(f'{a.out}/console.log', errors='replace') as f:
            print('last lines of the console:')
            for text in collections.deque(f, maxlen=15):
                print(f'    {text.rstrip()}')
    for e in infrastructure + errors + capped('kernel report', console.reports):
        print(f'error: {e}')
    # Last, so that nobody has to look for them.
    for name in failed:
        print(f'error: failed: {name}')
    if not a.job:
        if a.control:
            # What must not pass did as it should.
            right = sum(r.excused and r.is_test and r.outcome != 'passed' for r in tap.results)
            counts = {'passed': right, 'failed': len(failed) + len(errors), 'skipped': 0}
        print('{passed} passed, {failed} failed, {skipped} skipped'.format(**counts), flush=True)
    return status


def options():
    p = argparse.ArgumentParser()
    p.add_argument('--out', required=True, help='directory of the logs and results')
    p.add_argument('--timeout', type=int, default=1800, help='seconds for the whole run; 0: no limit')
    p.add_argument('--silence', type=int, default=300, help='seconds without a line from the guest; 0: no limit')
    p.add_argument('--last', type=int, default=0, metavar='SECONDS', help='what this run took last time')
    files = {'action': 'append', 'default': [], 'metavar': 'FILE'}
    p.add_argument('--names', **files,
                   help='names of the tests that must be run, one a line, each as often as it comes')
    p.add_argument('--strict-names', action='store_true', help='and no others')
    p.add_argument('--only', metavar='REGEXP',
                   help='of the names in lists, only these need be there: for parts of a suite')
    p.add_argument('--write-names', metavar='FILE', help='write the names of all tests seen')
    p.add_argument('--control', metavar='FILE', help='regular expressions: tests that must not pass here')
    p.add_argument('--control-names', **files, help='names of tests, those of --control must be run here')
    p.add_argument('--expected-skips', **files, help='regular expressions for "name: reason"')
    p.add_argument('--reports', default='/in/reports', metavar='FILE',
                   help='regular expressions: what the kernel must not say')
    p.add_argument('--expected-reports', **files, help='lines of "ID regexp"')
    p.add_argument('--job', action='store_true', help='not tests: show the output, judge the exit status')
    p.add_argument('--verbose', action='store_true', help='show every line of the TAP')
    p.add_argument('--judge', action='store_true', help='boot nothing, judge the logs that are there')
    p.add_argument('qemu', nargs=argparse.REMAINDER)
    a = p.parse_args()
    if a.control_names and not a.control:
        p.error('--control-names needs --control')
    return a


def main():
    a = options()
    argv = a.qemu[1:] if a.qemu[:1] == ['--'] else a.qemu
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        remove(f'{a.out}/results.json', f'{a.out}/results.xml')
        lists = Lists(a)
        tap = Tap(Screen(lists.wanted or lists.control_names, a.verbose, a.last).show)

        def line(text):
            text = text.rstrip('\r\n')
            if a.job and not VERDICT.match(text):
                print(text, flush=True)
            elif a.verbose:
                print(f'    {text}', flush=True)
            tap.line(text)

        stop = replay(f'{a.out}/tap.log', line) if a.judge else run(a, argv, tap, line)
        return finish(a, lists, tap, stop)
    except Infrastructure as e:
        print(f'error: {e}')
        return 3


if __name__ == '__main__':
    sys.exit(main())
