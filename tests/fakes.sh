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

done_testing
