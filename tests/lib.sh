# shellcheck shell=bash
# Sourced by the tests of the bench: one 'ok' or 'not ok' line a check, in TAP.
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

tests=0 failures=0
# Whole trees lie there, and are run.
TMP=$(mktemp -d -p "$(work_tmp 2)")
trap 'rm -rf "$TMP"' EXIT

result() { # STATUS NAME
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		say "ok $tests - $2"
	else
		failures=$((failures + 1))
		say "not ok $tests - $2"
	fi
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
	# 126 and 127: the command could not be run at all.
	"$@" >"$TMP/is" 2>&1 && rc=1 || { [ $? -lt 126 ] || rc=1; }
	result $rc "$name"
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

done_testing() {
	say "1..$tests"
	exit $((failures > 0))
}
