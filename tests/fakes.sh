#!/usr/bin/env bash
# What the scripts make of what they run: of tests, builds, findings and guests that are
# fakes. Nothing may be green that has not been seen to be good.
. "$(dirname "$0")/lib.sh"

fake="$TMP/a fake"
fake_repo "$fake"
cd "$fake"
in_fake() { env XDG_CACHE_HOME="$TMP/its cache" "$@"; }

# The tests' own library, and lists of names.
mkdir -p tests/names/testbed
own_test() { # LIST: a test whose tests are standard input
	{ printf '#!/usr/bin/env bash\n. "$(dirname "$0")/lib.sh"\n'
	  cat
	  [ -z "$1" ] || echo "were_run $1"
	  echo done_testing; } >tests/own.sh
	chmod +x tests/own.sh
}
own_test testbed/own <<'T'
is a true
is a true
isnt "b c" false
skip d "no device"
T
expect "names: no list" 1 "no tests/names/testbed/own: make it with NAMES=write" in_fake tests/own.sh
is "names: it is written" in_fake NAMES=write tests/own.sh
is "names: what was written is the list" diff - tests/names/testbed/own <<<$'a\na\nb c\nd'
expect "names: all were run" 0 "^ok 5 - the tests that tests/names/testbed/own has were run$" in_fake tests/own.sh
sed -i '1i # A comment' tests/names/testbed/own
own_test testbed/own <<'T'
is a true
isnt "b c" false
skip d "no device"
T
expect "names: one of two of a name is missing" 1 "^# missing: a$" in_fake tests/own.sh
is "names: that fails" grep '^not ok 4 - the tests that' "$TMP/out"
own_test testbed/own <<<'for n in a a "b c" d e; do is "$n" true; done'
expect "names: more than the list has" 0 "^1\.\.6$" in_fake tests/own.sh
is "names: the list is extended" in_fake NAMES=write tests/own.sh
is "names: its comments stay" diff - tests/names/testbed/own <<<$'# A comment\na\na\nb c\nd\ne'
own_test '' <<'T'
is "is, of a failure" false
isnt "isnt, of a success" true
isnt "isnt, of a file that is not there" grep x /none
isnt "isnt, of a program that is not there" /none
expect "expect, of what it is to be" 1 one bash -c 'echo one; exit 1'
expect "expect, of another status" 0 one bash -c 'echo one; exit 1'
expect "expect, of another message" 0 other echo one
T
in_fake tests/own.sh >"$TMP/own" 2>&1 || true
is "each of them is red but the one that is good" diff <(grep -oE '^(not )?ok' "$TMP/own") \
	<(printf '%s\n' 'not ok' 'not ok' 'not ok' 'not ok' ok 'not ok' 'not ok')

# 'make check', with a plan of our own.
mkdir -p build/obj
plan() { # ROW...: with the rows root and setup
	printf '%s\n' 'root | - | - | - | - | 1 | a root | echo ok 1 root' 'setup | - | - | - | - | 1 | a tree | echo ok 1 tree' "$@" >tests/plan
}
row() { # NAME STATUS MESSAGE COMMAND [RUN [LEAST]]: a row with that command
	plan "check | linux-7.3 | x86_64 | debug | ${5:--} | ${6:-1} | the row | $4"
	expect "check: $1" "$2" "$3" in_fake scripts/check
}
row "a row that is good" 0 "^3 passed, 0 failed, 0 skipped$" 'echo ok 1 one'
isnt "check: nothing is said to have failed" grep -E '^(failed|could not be run):' "$TMP/out"
row "no result" 1 "^failed: the row, linux-7.3: 0 passed, 2 failed, status 1$" true
row "no result, and no floor" 1 "^status 0, 0 passed, 0 skipped: counts as one failure$" 'echo nothing to do' - 0
row "results of a status that is bad" 1 "^3 passed, 1 failed, 0 skipped$" 'echo ok 1 one; exit 5'
row "a failure of a status that is good" 1 "^failed: the row, linux-7.3: 1 passed, 1 failed, status 0$" 'echo ok 1 one; echo not ok 2 two'
is "check: what failed is at the end" grep -A 1 '^failed: the row' <(tail -n 4 "$TMP/out")
row "a failure that calls itself a skip" 1 "^3 passed, 1 failed, 0 skipped$" 'echo ok 1 one; echo "not ok 2 two # SKIP no device"'
row "nothing but skips" 1 "^0 passed, fewer than the 1 of the plan: counts" 'echo "ok 1 one # SKIP no device"'
row "fewer than the floor" 1 "^1 passed, fewer than the 2 of the plan: counts" 'echo ok 1 one' - 2
row "the sum of a guest counts, not lines like TAP" 1 "^failed: the row, linux-7.3: 4 passed, 2 failed, status 1$" \
	'echo ok 1 one; echo 4 passed, 2 failed, 0 skipped; exit 1'
row "a command that is not there" 1 "^failed: the row, linux-7.3: 0 passed, 2 failed, status 127$" ./none
row "a row that could not be run" 3 "^could not be run: the row, linux-7.3: 0 passed, 2 failed, status 3$" \
	'echo 0 passed, 0 failed, 0 skipped; exit 3'
row "a run without a list of names" 1 "^no tests/names/linux-7.3/new, without which .*; build/run/linux-7.3/new/names.new has what was: counts" \
	'echo 1 passed, 0 failed, 0 skipped' new
mkdir -p tests/names/linux-7.3
: >tests/names/linux-7.3/new
row "a run with one" 0 "^3 passed, 0 failed" 'echo 1 passed, 0 failed, 0 skipped' new
row "a worker that dies" 1 "^failed: a worker that did not get to its end$" 'kill -KILL $PPID'
plan 'check | - | - | - | - | 1 | one | exit 3' 'check | - | - | - | - | 1 | two | echo not ok 1 two'
expect "check: a failure beside what could not be run" 1 "^could not be run: one: " in_fake scripts/check
is "check: both are named" grep '^failed: two: ' "$TMP/out"
plan 'all | - | - | - | - | 1 | the rest | echo not ok 1 rest'
expect "check: not of another set" 0 "^2 passed, 0 failed" in_fake scripts/check
expect "check all: of all" 1 "^failed: the rest: " in_fake scripts/check all
misspelt() { # NAME MESSAGE ROW
	plan "$3"
	expect "check: $1" 1 "^tests/plan: $2: " in_fake scripts/check
}
misspelt "a set that there is not" 'no set "chekc"' 'chekc | - | - | - | - | 1 | x | echo ok 1 x'
misspelt "a floor that is no number" 'no number of tests "1O"' 'check | - | - | - | - | 1O | x | echo ok 1 x'
misspelt "a base that there is not" 'no base "linux-7.9"' 'check | linux-7.9 | - | - | - | 1 | x | echo ok 1 x'
misspelt "a machine that there is not" 'no arch "arm"' 'check | - | arm | - | - | 1 | x | echo ok 1 x'
misspelt "a row without a command" 'not eight columns' 'check | - | - | - | - | 1 | x |'
misspelt "a column that is missing" 'not eight columns' 'check | - | - | - | 1 | x | echo ok 1 x'
misspelt "a run that is there twice" 'a second run "r" of that base' $'check | - | - | - | r | 1 | x | a\nall | - | - | - | r | 1 | y | b'
misspelt "a name that is there twice" 'a second row of that name' $'check | - | - | - | - | 1 | x | a\nall | - | - | - | - | 1 | x | b'

done_testing
