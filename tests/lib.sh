# shellcheck shell=bash
# Sourced by the tests of the bench: one 'ok' or 'not ok' line a check, in TAP.
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

tests=0 failures=0 tests_run=()
# Of the tests' own list, not for what they run.
NAMES_OF_TESTS=${NAMES:-}
unset NAMES
# Whole trees lie there, and are run.
TMP=$(mktemp -d -p "$(work_tmp 2)")
trap 'rm -rf "$TMP"' EXIT

result() { # STATUS NAME
	tests=$((tests + 1))
	tests_run+=("$2")
	if [ "$1" -eq 0 ]; then
		say "ok $tests - $2"
	else
		failures=$((failures + 1))
		say "not ok $tests - $2"
	fi
}

skip() { # NAME WHY: what it takes is not to be had here
	tests=$((tests + 1))
	tests_run+=("$1")
	say "ok $tests - $1 # SKIP $2"
}

is() { # NAME COMMAND...: the command must succeed
	local name=$1 rc=0
	shift
	"$@" >"$TMP/is" 2>&1 || rc=$?
	[ $rc -eq 0 ] || sed 's/^/# /' "$TMP/is" | head -n 20
	result $rc "$name"
}
isnt() { # NAME COMMAND...
	local name=$1 rc=0
	shift
	# Of grep and others, another status is an error, as with no such file.
	"$@" >"$TMP/is" 2>&1 || rc=$?
	[ $rc -le 1 ] || sed 's/^/# /' "$TMP/is" | head -n 20
	result $((rc != 1)) "$name"
}

# A copy of this repository as it is, with a build/ of its own.
copy_repo() { # FOLDER
	mkdir -p "$1"
	git -C "$TOP" ls-files -co --exclude-standard -z | sort -zu | tar -C "$TOP" --null -T - -cf - | tar -C "$1" -xf -
}

# fake_repo FOLDER: such a copy whose kernel and QEMU are fakes, and its cache, which has
# nothing but the build root. QEMU does what the file guest/does says; without a word in
# the file guest/said, that is one test that passes.
fake_repo() {
	local f
	[ -d "$1" ] || copy_repo "$1"
	mkdir -p "$1/qemu" "$1/build" "$TMP/its cache/dmabuf-series"
	[ -e "$TMP/its cache/dmabuf-series/${ROOT##*/}" ] || ln -s "$ROOT" "$TMP/its cache/dmabuf-series/"
	cat >"$1/qemu/qemu-system-x86_64" <<-'Q'
		#!/bin/sh
		printf '%s\n' "$@" >/out/args
		. /in/does
		if [ -s /in/said ]; then cat /in/said; else printf '1..1\nok 1 one\n# job: exit 0\n'; fi \
			>"$(printf '%s\n' "$@" | sed -n 's/^file,id=tap,path=//p')"
	Q
	chmod +x "$1/qemu/qemu-system-x86_64"
	for f in build-qemu tree manifest; do printf '#!/bin/sh\n' >"$1/scripts/$f"; done
	cat >"$1/scripts/build-linux" <<-'B'
		#!/usr/bin/env bash
		. "$(dirname "$0")/lib.sh"
		[ "$1" = --into ]
		gzip </dev/null >"$2/initramfs.gz"
		echo kernel >"$2/kernel"
		printf '%s\n' vfio:one vfio:two dmabuf-heaps:one >"$2/kselftest-list.txt"
	B
	echo "$1/qemu" >"$1/build/qemu-dir"
	: >"$1/guest/does"
	: >"$1/guest/said"
}

# expect NAME STATUS MESSAGE COMMAND...: the command must end with this status
# and its output must have a line that matches MESSAGE (an extended regexp).
expect() {
	local name=$1 status=$2 message=$3 rc=0
	shift 3
	"$@" >"$TMP/out" 2>&1 </dev/null || rc=$?
	if [ "$rc" -ne "$status" ]; then
		sed 's/^/# /' "$TMP/out" | tail -n 20
		say "# status $rc, not $status"
		result 1 "$name"
	elif ! grep -qE -- "$message" "$TMP/out"; then
		sed 's/^/# /' "$TMP/out" | tail -n 20
		say "# no line matches: $message"
		result 1 "$name"
	else
		result 0 "$name"
	fi
}

# Last of all: the tests that were run have to be those of a list, below tests/names.
were_run() { # LIST
	is "the tests that tests/names/$1 has were run" env NAMES="$NAMES_OF_TESTS" "$TOP/scripts/names" "$1" \
		< <(printf '%s\n' "${tests_run[@]}")
}
done_testing() {
	say "1..$tests"
	exit $((failures > 0))
}
