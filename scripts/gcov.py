#!/usr/bin/env python3
# gcov.py [options] RUN...: judge the lines of a tree that are in /out/lines, by what the
# guests have counted (/out/RUN/data). Runs in the build root (scripts/coverage), with the
# tree at /src.

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys

OUT = pathlib.Path('/out')
SRC = pathlib.Path('/src')
NOT_BUILT = '(not built)'
SHOWN = 20      # of a topic; the rest is in files only
# How a function begins in the style of the kernel: its name, in the first column or behind its type.
FUNCTION = re.compile(r'(?=[A-Za-z_])(?:[\w \t*]*[ \t*])?(\w+)\(.*[^;]$')


class Bad(Exception):
    """Nothing can be said of the lines."""


def gcov(run):
    """What gcov says of each object file, in its JSON."""
    data = OUT / run / 'data'
    # By these, not by *.gcda: lines of a module that was never loaded count, too.
    notes = sorted(data.rglob('*.gcno'))
    if not notes:
        raise Bad(f'{run}: no object was built for it')
    p = subprocess.run(['gcov', '--json-format', '--stdout', *notes], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       text=True, check=False)
    # Data of another build is a word on stderr, and no count.
    words = [w for w in p.stderr.splitlines() if w and not w.endswith(':cannot open data file, assuming not executed')]
    if p.returncode or words:
        raise Bad(f'{run}: gcov: {words[0] if words else p.returncode}')
    return [json.loads(text) for text in p.stdout.splitlines() if text]


def counts(runs):
    """{file: {line that has code: how often it was run}}, of these runs."""
    total = collections.defaultdict(collections.Counter)
    for run in runs:
        for unit in gcov(run):
            for f in unit['files']:
                # A line is there once for each function that it was inlined into.
                for line in f['lines']:
                    total[f['file'].removeprefix(f'{SRC}/')][line['line_number']] += line['count']
    return total


def function(source, number):
    for text in reversed(source[:number]):
        if m := FUNCTION.match(text):
            return m[1]
    return ''


class Known:
    """An entry of the list of lines that are not run, and why."""

    def __init__(self, where, topic, file, reason, text):
        self.where, self.topic, self.file, self.reason = where, topic, file, reason
        try:
            self.regexp = re.compile(text)
        except re.error as e:
            raise Bad(f'{where}: bad regular expression {text!r}: {e}') from e
        self.not_run = self.run = 0

    def fits(self, line):
        return (self.topic, self.file) == (line.topic, line.file) and self.regexp.fullmatch(line.text)


def known(path, name):
    """Lines "TOPIC FILE: REASON", each with indented lines below: regular expressions."""
    entries, head = [], None
    for number, text in enumerate(path.read_text().splitlines(), 1):
        where = f'{name}:{number}'
        if not text.strip() or text.startswith('#'):
            continue
        if text[0].isspace():
            if not head:
                raise Bad(f'{where}: nothing says what it is about')
            entries.append(Known(where, *head, text.strip()))
        elif m := re.fullmatch(r'(\S+) (\S+): *(.*\w.*)', text):
            head = m.groups()
        else:
            raise Bad(f'{where}: must be "TOPIC FILE: REASON"')
    return entries


class Line:
    def __init__(self, topic, file, number, text, count):
        self.topic, self.file, self.number, self.text, self.count = topic, file, number, text, count
        self.entry = None

    def __str__(self):
        return f'{self.file}:{self.number}: {self.text}'


def changed(total):
    """The lines that have code, topic by topic, and how many there are in all: {topic: number}."""
    lines, all_lines, sources, not_built = [], collections.Counter(), {}, set()
    for text in (OUT / 'lines').read_text().splitlines():
        topic, file, number = text.split('\t')
        number = int(number)
        all_lines[topic] += 1
        if file not in total:
            # Of a header nobody knows whether it has code.
            if file.endswith('.c') and (topic, file) not in not_built:
                not_built.add((topic, file))
                lines.append(Line(topic, file, number, NOT_BUILT, 0))
        elif number in total[file]:
            if file not in sources:
                sources[file] = (SRC / file).read_text(errors='replace').splitlines()
            text = ' '.join(sources[file][number - 1].split())
            if where := function(sources[file], number):
                text = f'{where}: {text}'
            lines.append(Line(topic, file, number, text, total[file][number]))
    order = [text.split()[1] for text in (OUT / 'commits').read_text().splitlines()]
    return sorted(lines, key=lambda line: [*order, 'uncommitted'].index(line.topic)), all_lines


def judge(lines, entries):
    for line in lines:
        for e in entries:
            if e.fits(line):
                if line.count:
                    e.run += 1
                else:
                    e.not_run += 1
                    line.entry = line.entry or e


def literal(text):
    """A regular expression for it, that is still legible."""
    return re.sub(r'[\\.^$*+?{}\[\]|()]', r'\\\g<0>', text)


def report(topic, lines, number):
    """One file for each topic, and what the screen shows."""
    run = [line for line in lines if line.count]
    named = [line for line in lines if line.entry]
    new = [line for line in lines if not line.count and not line.entry]
    head = (f'{topic}: {number} lines, {len(lines)} with code: {len(run)} run, '
            f'{len(named)} not run and named, {len(new)} not run')
    with open(OUT / f'{topic}.txt', 'w', encoding='utf-8') as f:
        print(head, file=f)
        if new:
            print('\nNo test runs:', file=f)
            print(*new, sep='\n', file=f)
        for e in dict.fromkeys(line.entry for line in named):
            print(f'\n{e.reason}:', file=f)
            print(*(line for line in named if line.entry is e), sep='\n', file=f)
    print(head)
    for line in new[:SHOWN]:
        print(f'not ok {line}')
    if len(new) > SHOWN:
        print(f'    {len(new) - SHOWN} more')
    return len(run), len(new), len(named)


def unnamed(lines):
    """Those that nobody has named, in the form of the list."""
    texts = collections.defaultdict(dict)
    for line in lines:
        if not line.count and not line.entry:
            texts[line.topic, line.file][line.text] = None
    with open(OUT / 'unnamed', 'w', encoding='utf-8') as f:
        for (topic, file), group in texts.items():
            print(f'{topic} {file}:', file=f)
            for text in group:
                print(f'\t{literal(text)}', file=f)


def stale(entries):
    """Entries that fit nothing any more. Whether a race is met differs from run to run."""
    bad = 0
    for e in entries:
        if not e.run + e.not_run:
            print(f'not ok {e.where}: no such line: {e.topic} {e.file}: {e.regexp.pattern}')
            bad += 1
        elif not e.not_run:
            print(f'{e.where}: was run this time: {e.topic} {e.file}: {e.regexp.pattern}')
    return bad


def options():
    p = argparse.ArgumentParser()
    p.add_argument('--topic', help='this one only, and what is not committed')
    p.add_argument('--failed', action='append', default=[], metavar='RUN', help='a run that failed')
    p.add_argument('--part', action='store_true', help='not all tests were run')
    p.add_argument('--list', required=True, metavar='NAME', help='where /out/known is from')
    p.add_argument('runs', nargs='+', metavar='RUN')
    return p.parse_args()


def main():
    a = options()
    try:
        entries = known(OUT / 'known', a.list)
        empty = [run for run in a.runs if not any((OUT / run).rglob('*.gcda'))]
        for why, runs in ('it failed', a.failed), ('no data came out of the guest', empty):
            for run in runs:
                print(f'not ok {run}: {why}')
        lines, all_lines = changed(counts(run for run in a.runs if run not in empty))
        if a.topic:
            lines = [line for line in lines if line.topic in (a.topic, 'uncommitted')]
            entries = [e for e in entries if e.topic == a.topic]
        if not any(line.text != NOT_BUILT for line in lines):
            raise Bad('no line was counted')
        judge(lines, entries)
        passed, failed, skipped = 0, len(a.failed) + len(empty), 0
        for topic in dict.fromkeys(line.topic for line in lines):
            p, f, s = report(topic, [line for line in lines if line.topic == topic], all_lines[topic])
            passed, failed, skipped = passed + p, failed + f, skipped + s
        unnamed(lines)
        if not a.part:
            failed += stale(entries)
    except Bad as e:
        print(f'error: {e}')
        return 1
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
