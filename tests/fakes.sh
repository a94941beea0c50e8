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

# A step that fails is not forgotten, wherever it was started.
lib() { # SCRIPT
	in_fake bash -c '. scripts/lib.sh
		step() { false; echo "went on"; }
		'"$1"
}
expect "attempt: a step that fails" 0 "^status 1$" lib 'attempt step; echo "status $RC"'
isnt "attempt: it does not go on" grep 'went on' "$TMP/out"
expect "attempt: a stage that fails" 0 "^status 1$" lib 'attempt stage s step; echo "status $RC"'
isnt "attempt: nor does that" grep 'went on' build/logs/s.log
expect "attempt: a stage that is good" 0 "^status 0$" lib 'attempt stage s true; echo "status $RC"'
expect "stage: a step that fails" 1 "^error: s failed \(status 1\), see build/logs/s.log$" lib 'stage s step; echo "went on"'
isnt "stage: it does not go on" grep 'went on' "$TMP/out"

# How long something takes: as it did last time, or as a rule.
isnt "weights: each has a name, seconds, and a number of lines or none" grep -vP '^(#.*|[^\t]+\t[0-9]+(\t[0-9]+)?)$' "$TOP/tests/weights"
for step in "build root" "QEMU: x86_64" "kernel linux-7.3 x86_64-debug" "guest run linux-7.3 demo"; do
	is "weights: make demo: $step" grep -qP "^$step\t" "$TOP/tests/weights"
done
printf 'a step\t1234\t99\nguest run linux-7.3 timed\t7777\n' >>tests/weights
expect "stage: the first time" 0 "^a step +usually +1234 s, log build/logs/a-step.log$" lib 'stage "a step" true'
expect "stage: again" 0 "^a step +last time +[0-9] s, log build/logs/a-step.log$" lib 'stage "a step" true'
expect "stage: nobody knows" 0 "^another +last time +\? s, log" lib 'stage another true'
echo 'echo 1..0' >"$TMP/job"
timed() { in_fake ARCH=x86_64 ACCEL=tcg "$@" scripts/run tap "$TMP/job"; }
expect "guest: the first time" 0 "^\[ +[0-9]+ s, about 77[0-9]+ s left\] ok +one$" timed RUN=timed
is "guest: the first time: what it takes as a rule" grep -x 'usually 7777 s' "$TMP/out"
expect "guest: again" 0 "^last time [0-9]+ s$" timed RUN=timed
expect "guest: of a part nothing is known" 0 "^1 passed" timed RUN= T=one
isnt "guest: of a part nothing is said" grep -E '^(last time|usually) ' "$TMP/out"
left() { # SECONDS-OF-LAST-TIME, of the first row
	mkdir -p "$TMP/times"
	echo "$1" >"$TMP/times/check-one--linux-7.3--arm64"
	printf 'check | linux-7.3 | arm64 | - | - | 1 | one | x\ncheck | - | - | - | - | 1 | two | x\n' >"$TMP/queue"
	bash -c 'eval "$(sed -n "/^left()/,/^}/p" scripts/check)"; CACHE=$1 queue=$1/queue; left' x "$TMP"
}
expect "check: what is left" 0 "^10 minutes, 1 of them not known$" left 600

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

# Tests that every run skips.
ran() { # RUN "NAME OUTCOME"...
	local t
	mkdir -p "build/run/linux-7.3/$1"
	for t in "${@:2}"; do
		printf '%s' "${sep:-{\"tests\": [}{\"name\": \"${t% *}\", \"outcome\": \"${t##* }\", \"reason\": \"no device\"}"
		local sep=,
	done >"build/run/linux-7.3/$1/results.json"
	echo ']}' >>"build/run/linux-7.3/$1/results.json"
}
plan $'check | linux-7.3 | x86_64 | debug | one | 1 | one | true\nall | linux-7.3 | x86_64 | debug | two | 1 | two | true'
ran one 'a passed' 'b skipped' 'c failed' 'p:q skipped'
ran two 'b passed' 'd passed' 'p:q x passed'
ran three 'b skipped' 'e skipped'
expect "skipped: by one run" 0 "^ok 1 - each of 6 tests is run by one of 2 runs$" in_fake scripts/skipped
ran two 'b skipped' 'd passed' 'p:q x passed'
expect "skipped: by all runs" 1 "^not ok 1 - b: skipped by each run that has it: no device$" in_fake scripts/skipped
echo '^b: no device' >>guest/expected-skips.linux-7.3
expect "skipped: as the base wants it" 0 "^ok 1 " in_fake scripts/skipped
expect "skipped: no results" 1 "^not ok 1 - no results$" in_fake BASE=linux-7.1 scripts/skipped
plan $'all | linux-7.3 | - | - | - | 1 | one | echo ok 1 one'
expect "check all: tests that all runs skip" 1 "^failed: tests that some run does not skip, linux-7.1: " in_fake scripts/check all
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

# Bases that the archive has forgotten: a fake that answers unless there is a file 'down',
# and has the versions in the file 'versions', which cannot be downloaded.
export ARCHIVE=$TMP/archive
mkdir "$ARCHIVE"
cat >"$ARCHIVE/bwrap" <<'B'
#!/bin/sh
while [ "$1" != -- ]; do shift; done
[ "$2 $3" = "sh -ec" ] || exit 1
shift 4
exec sh -ec 'eval "$0"' "$@"
B
cat >"$ARCHIVE/apt-get" <<'A'
#!/bin/sh
[ "$1" = update ] && [ ! -e "$ARCHIVE/down" ] || exit 100
A
cat >"$ARCHIVE/apt-cache" <<'A'
#!/bin/sh
[ -s "$ARCHIVE/versions" ] || exit 100
sed 's/^/Version: /' "$ARCHIVE/versions"
A
chmod +x "$ARCHIVE"/*
: >"$ARCHIVE/versions"
mv scripts/tree "$TMP/tree"
cp "$TOP/scripts/tree" scripts/
asked() { in_fake PATH="$ARCHIVE:$PATH" SANDBOX_WORKS=1 "$@"; }
for b in linux-7.1 linux-7.3; do echo "9.1.2 src:linux=9.1.2-1 linux.tar:$(sha256sum </dev/null | cut -d' ' -f1)" >base/$b; done
fetched() { # NAME STATUS MESSAGE
	expect "fetch: $1" "$2" "$3" asked scripts/fetch linux-7.1
}
planned() { # BASE ROW...: and rows of this base
	plan "setup | $1 | - | - | - | 1 | its tree | scripts/tree $1 && echo ok tree" \
		"check | $1 | x86_64 | debug | new | 5 | a guest | touch build/was-run; echo not ok a guest" "${@:2}"
}
tried='linux-7.1 could not be had\. Tried: src:linux=9\.1\.2-1, a newer point release, TARBALLS=\(not set\), GIT=\(not set\)\.'
fetched "no place has it" 4 "^error: $tried .* The archive has none of it any more: put these files into a directory .*: linux\.tar; or give a clone"
planned linux-7.1 'check | linux-7.3 | - | - | - | 1 | the other base | echo ok 1 one'
expect "check: a base that no place has" 0 "^3 passed, 0 failed, 2 skipped$" asked scripts/check
for what in "its tree" "a guest"; do
	is "check: a base that no place has: $what" grep -x "ok $what, linux-7.1 # SKIP no place has linux-7.1 any more" "$TMP/out"
done
isnt "check: a base that no place has: nothing of it is run" test -e build/was-run
is "check: a base that no place has: why, at the end" grep -xE "skipped: $tried .*" <(tail -n 2 "$TMP/out")
is "check: a base that no place has: each row is in the table" [ "$(sed -n '/^== rows/,$p' "$TMP/out" | grep -cE '^ +[0-9]+  (its tree|a guest), linux-7.1$')" = 2 ]
plan 'all | linux-7.1 | - | - | - | 1 | the rest | echo not ok 1 rest' 'setup | linux-7.1 | - | - | - | 1 | its tree | scripts/tree linux-7.1'
expect "check all: a base that no place has" 1 "^ok tests that some run does not skip, linux-7.1 # SKIP " asked scripts/check all
is "check all: a base that no place has: what failed is of the other one" diff <(grep -o '^failed: .*linux-7[^:]*' "$TMP/out") - \
	<<<'failed: tests that some run does not skip, linux-7.3'
planned linux-7.3
expect "check: the default base, which no place has" 1 "^failed: its tree, linux-7.3: 0 passed, 2 failed, status 4$" asked scripts/check
plan 'setup | linux-7.1 | - | - | - | 1 | its tree | echo ok 1 tree; exit 4'
expect "check: status 4 of something else" 1 "^failed: its tree, linux-7.1: " asked scripts/check
plan 'check | linux-7.1 | - | - | - | 1 | not its tree | scripts/tree linux-7.1'
expect "check: a base that was there when it began" 1 "^failed: not its tree, linux-7.1: " asked scripts/check
echo 9.1.2-1 >"$ARCHIVE/versions"
fetched "the archive has it, and does not give it" 1 "$tried .* Is the network there\?"
echo 9.1.3-1 >"$ARCHIVE/versions"
fetched "nor a newer one" 1 "could not be had\. Tried: src:linux=9\.1\.2-1, src:linux=9\.1\.3-1, .* Is the network there\?"
: >"$ARCHIVE/versions"
git init -q "$TMP/clone"
git -C "$TMP/clone" -c user.name=x -c user.email=x@localhost commit -q --allow-empty -m x
expect "fetch: a clone without the tag" 4 "Tried: .*, tag v9\.1\.2 in $TMP/clone, " asked GIT="$TMP/clone" scripts/fetch linux-7.1
printf '#!/bin/sh\nexit 1\n' >"$ARCHIVE/xz"
chmod +x "$ARCHIVE/xz"
git -C "$TMP/clone" tag v9.1.2
expect "fetch: a clone with it, and something else that fails" 1 "Is the network there\?" asked GIT="$TMP/clone" scripts/fetch linux-7.1
rm "$ARCHIVE/xz"
: >"$ARCHIVE/down"
fetched "no network" 1 "$tried .* Is the network there\?"
planned linux-7.1
expect "check: no network" 1 "^failed: its tree, linux-7.1: " asked scripts/check
isnt "check: no network: nothing is skipped" grep SKIP "$TMP/out"
kept="$TMP/its cache/dmabuf-series/base/linux-7.1"
mkdir "$kept-9.1.3"
echo newer >"$kept-9.1.3/linux.tar"
mkdir "$kept-9.1.1"
echo older >"$kept-9.1.1/linux.tar"
sha256sum <"$kept-9.1.1/linux.tar" | cut -d' ' -f1 >"$kept-9.1.1/linux.tar.sha256"
fetched "no network, and an older one in the cache" 1 "Is the network there\?"
fetched "no network, and half of a newer one in the cache" 1 "Is the network there\?"
sha256sum <"$kept-9.1.3/linux.tar" | cut -d' ' -f1 >"$kept-9.1.3/linux.tar.sha256"
fetched "no network, and a newer one in the cache" 0 "^linux-7\.1: 9\.1\.3 is taken, which the cache has from before$"
is "fetch: it is that one" diff build/base-linux-7.1 - <<<'9.1.3 linux-7.1-9.1.3/linux.tar'
rm build/base-linux-7.1
mkdir "$kept-9.1.2"
: >"$kept-9.1.2/linux.tar"
is "fetch: no network, and all of it in the cache" asked scripts/fetch linux-7.1
is "fetch: it is what is pinned" diff build/base-linux-7.1 - <<<'9.1.2 linux-7.1-9.1.2/linux.tar'
rm -r "$kept"-* "$ARCHIVE/down" "$TMP/clone" build/base-linux-7.1
cp "$TOP"/base/* base/
mv "$TMP/tree" scripts/

# A guest, of which one test or one case is asked for.
guest() { # MODE [VARIABLE=VALUE]...
	in_fake ARCH=x86_64 ACCEL=tcg "${@:2}" scripts/run "$1" "$TMP/job"
}
picks() { # NAME T TEXT: what the guest is to do
	expect "T: $1" 0 "^1 passed" guest kselftest T="$2"
	is "T: $1: it is what is done" diff <(grep -v '^cd ' "$out/run/job") - <<<"$3"
}
out=build/run/linux-7.3/kselftest-x86_64-debug
all='./run_kselftest.sh -o 1800'
picks "a collection" vfio "$all -t vfio:one -t vfio:two"
picks "a test, and one of it" 'vfio:one vfio' "$all -t vfio:one -t vfio:two"
picks "a case" 'vfio:one#a_case' "export  KSELFTEST_ONE_ARGS='-t a_case'"$'\n'"$all -t vfio:one"
picks "a case by its full name" 'vfio:one#fixture.variant.a' "export  KSELFTEST_ONE_ARGS='-r fixture.variant.a'"$'\n'"$all -t vfio:one"
picks "two cases of a test" 'vfio:one#a vfio:one#f.b' "export  KSELFTEST_ONE_ARGS='-t a -r f.b'"$'\n'"$all -t vfio:one"
picks "a case, and all of it" 'vfio:one#a vfio:one' "$all -t vfio:one"
picks "all of it, and a case" 'vfio:one vfio:one#a' "$all -t vfio:one"
picks "cases of two tests" 'vfio:one#a vfio:two#b' \
	"export  KSELFTEST_ONE_ARGS='-t a' KSELFTEST_TWO_ARGS='-t b'"$'\n'"$all -t vfio:one -t vfio:two"
expect "T: by make" 0 "^1 passed" in_fake make kselftest ARCH=x86_64 ACCEL=tcg T='vfio:one#a vfio:two'
is "T: by make: it is what is done" grep -x "export  KSELFTEST_ONE_ARGS='-t a'" "$out/run/job"
expect "T: a test that is not there" 3 "^error: T: no test 'vfio:three'; there are: vfio:one vfio:two dmabuf-heaps:one$" guest kselftest T=vfio:three
expect "T: half of a name" 3 "^error: T: no test 'vfio:on'" guest kselftest T=vfio:on
expect "T: a case of a collection" 3 "^error: T: 'vfio' is not one test, .*; there are: vfio:one vfio:two$" guest kselftest T='vfio#a'
expect "T: a case that is no name" 3 "^error: T: 'vfio:one#a;b': no name of a case$" guest kselftest T='vfio:one#a;b'
printf '%s\n' 1..1 '# selftests: vfio: one' '# 1..0' 'ok 1 selftests: vfio: one' '# job: exit 0' >guest/said
expect "T: a case that is not there" 1 "^error: vfio:one: 0 tests planned, none reported$" guest kselftest T='vfio:one#none'
: >guest/said
expect "T: KUnit suites" 0 "^1 passed" guest kunit T='one two'
is "T: KUnit suites: are what is done" grep -x "export  SUITES='one two'" build/run/linux-7.3/kunit-x86_64-debug/run/job
expect "T: what is no KUnit suite" 3 "^error: T: 'vfio:one': must be names of KUnit suites$" guest kunit T=vfio:one

# What is on the screen, and in files.
echo 'command: make' >"$TMP/job"
printf '%s\n' 1..2 '# selftests: vfio: one' '# 1..2' '# # said by a' '# ok 1 a' '# # one.c:12:b:Expected 1 (1) == 2 (2)' '# not ok 2 b' \
	'not ok 1 selftests: vfio: one # exit=1' 'ok 2 two' '# job: exit 1' >guest/said
expect "a failure" 1 "^        one.c:12:b:Expected 1 \(1\) == 2 \(2\)$" guest tap
isnt "a failure: not what others say" grep 'said by a' "$TMP/out"
is "a failure: it is named at the end" grep -x 'error: failed: vfio:one b' <(tail -n 2 "$TMP/out")
out=build/run/linux-7.3/tap-x86_64-debug
is "JUnit" grep -F '<failure message="one.c:12:b:Expected' "$out/results.xml"
is "JSON, with the manifest" grep -E '"manifest": "command: /mnt/qemu-system-x86_64 .* -append ' "$out/results.json"
expect "V=0" 1 "^2 passed, 1 failed" guest tap V=0
isnt "V=0: not what others say" grep 'said by a' "$TMP/out"
expect "V=1" 1 "^    # # said by a$" guest tap V=1
: >guest/said

# The demo, of which the last line says how it went.
mv scripts/build-qemu "$TMP/build-qemu"
printf '#!/bin/sh\necho "$@" >>build/asked\n' >scripts/build-qemu
chmod +x scripts/build-qemu
demo() { # LAST-LINE STATUS: of the guest
	printf '%s\n' '== heaps in modules' 'refused, as it must be: rmmod: x' '' "$1" "# job: exit $2" >guest/said
	in_fake ACCEL=tcg make demo
}
expect "demo" 0 "^demo: all went as expected$" demo 'demo: all went as expected' 0
is "demo: that is its last line" [ "$(tail -n 1 "$TMP/out")" = "demo: all went as expected" ]
is "demo: of QEMU it builds the one that it boots" diff - build/asked <<<x86_64
expect "demo that fails" 2 "^error: the job in the guest failed with status 1$" demo '(failed with status 1)' 1
isnt "demo that fails: nothing went as expected" grep 'went as expected' "$TMP/out"
mv "$TMP/build-qemu" scripts/build-qemu
: >guest/said

# Status 1 is for tests that failed, and for reports of the kernel.
expect "status 3: misuse" 3 "^error: ARCH=mips: must be" guest tap ARCH=mips
expect "status 3: a mode that there is not" 3 "^error: run: no mode 'none'" guest none
mv scripts/build-linux "$TMP/build-linux"
printf '#!/bin/sh\nexit 1\n' >scripts/build-linux
chmod +x scripts/build-linux
expect "status 3: a kernel that does not build" 3 "^error: run: line [0-9]+ failed with status 1$" guest tap
is "status 3: nothing is left of that" test -z "$(find build/run/linux-7.3 -name 'boot.*')"
mv "$TMP/build-linux" scripts/build-linux
mv scripts/vm.py "$TMP/vm.py"
echo 'raise Exception("a mistake of its own")' >scripts/vm.py
expect "status 3: a judge that dies" 3 "a mistake of its own" guest tap
mv "$TMP/vm.py" scripts/vm.py
echo 'exit 1' >guest/does
expect "status 3: a QEMU that does not start" 3 "^error: QEMU failed with status 1$" guest tap
: >guest/does

# Lists of names.
expect "names: a run without a list" 0 "^1 passed" guest tap RUN=whole
is "names: what was run is there" diff - build/run/linux-7.3/whole/names.new <<<one
expect "names: strictly, without a list" 3 "^error: no tests/names/linux-7.3/whole: make it with NAMES=write$" guest tap RUN=whole NAMES=strict
expect "names: of a part" 3 "^error: NAMES=write is for a whole run" guest kselftest T=vfio NAMES=write
expect "names: of the base kernel" 3 "^error: NAMES=write is for a whole run" guest kselftest PATCHED=0 NAMES=write
printf '1..1\nnot ok 1 two\n# job: exit 1\n' >guest/said
expect "names: of a run that is not good" 1 "^not written: tests/names/linux-7.3/whole, " guest tap RUN=whole NAMES=write
isnt "names: that is true" test -e tests/names/linux-7.3/whole
: >guest/said
expect "names: are written" 0 "^written: tests/names/linux-7.3/whole$" guest tap RUN=whole NAMES=write
echo two >>tests/names/linux-7.3/whole
expect "names: one that vanished" 1 "^error: missing: two$" guest tap RUN=whole

# Of a user's own tree, what is to be skipped on the base that fits it.
mkdir "$TMP/a tree"
own_tree() { printf 'VERSION = 7\nPATCHLEVEL = %s\nSUBLEVEL = 9\nNAME = x\n' "$1" >"$TMP/a tree/Makefile"; }
: >"$TMP/a tree/Kbuild"
echo '^vfio:one b: no device' >>guest/expected-skips.linux-7.1
printf '%s\n' 1..1 '# selftests: vfio: one' '# 1..2' '# ok 1 a' '# ok 2 b # SKIP no device' 'ok 1 selftests: vfio: one' '# job: exit 0' >guest/said
own_tree 2
expect "own tree: a skip of its base" 0 "^1 passed, 0 failed, 1 skipped$" guest kselftest KERNEL="$TMP/a tree"
own_tree 3
expect "own tree: a skip of another base" 1 "^error: unexpected skip: vfio:one b: no device$" guest kselftest KERNEL="$TMP/a tree"
own_tree 0
expect "own tree: too old" 3 "^error: KERNEL=$TMP/a tree is version 7.0.9; the topics are for 7.1 and newer$" guest kselftest KERNEL="$TMP/a tree"
: >guest/said

# The negative control takes them from the lists of the patched kernel.
rm -f tests/names/linux-7.3/kselftest-*
expect "control: no list" 3 "^error: tests/names/linux-7.3 has no list of what is run on the patched kernel, kselftest-x86_64-debug" \
	guest kselftest PATCHED=0 NAMES=strict
echo '^vfio:one ' >guest/ours.linux-7.3
printf 'vfio:one %s\n' a b >tests/names/linux-7.3/kselftest-x86_64-debug
echo 'vfio:one c' >tests/names/linux-7.3/kselftest-more
for p in kselftest-none heaps; do echo 'vfio:one d' >tests/names/linux-7.3/$p; done
plan 'all | linux-7.3 | x86_64 | debug | kselftest-more | 1 | x | x' 'all | linux-7.3 | x86_64 | debug | heaps | 1 | y | y' \
	'all | linux-7.3 | x86_64 | plain | kselftest-none | 1 | z | z'
printf '%s\n' 1..1 '# selftests: vfio: one' '# 1..1' '# not ok 1 a' 'not ok 1 selftests: vfio: one # exit=1' '# job: exit 1' >guest/said
expect "control: a test that vanished" 1 "^error: control: missing: vfio:one b$" guest kselftest PATCHED=0 NAMES=strict
is "control: one of the other list" grep -x 'error: control: missing: vfio:one c' "$TMP/out"
isnt "control: none of a list for something else" grep 'vfio:one d' "$TMP/out"
expect "control: of another part" 1 "^error: no name in the lists is of the series$" guest kselftest PATCHED=0 T=vfio:two
expect "control: of a case" 0 "^negative control: 1 of 1 tests" guest kselftest PATCHED=0 T='vfio:one#a'
: >guest/said

# The qtest, of two machines.
qtest() { # NAME STATUS MESSAGE LINE...: what it says on each of them
	{ echo '#!/bin/sh'
	  echo 'machine=${QTEST_QEMU_BINARY##*-}'
	  echo 'cat <<O'
	  printf '%s\n' "${@:4}" O; } >qemu/edu-plus-test
	chmod +x qemu/edu-plus-test
	expect "qtest: $1" "$2" "$3" in_fake ${write:+NAMES=write} scripts/qtest
}
rm -rf tests/names/qemu-*
good=(1..2 'ok 1 /$machine/a' 'ok 2 /$machine/b # SKIP no bus')
qtest "no list" 1 "^error: no tests/names/qemu-.*/qtest: make it with NAMES=write$" "${good[@]}"
write=1 qtest "the list" 0 "^ok 1 x86_64 /a$" "${good[@]}"
qtest "all is well" 0 "^ok 2 aarch64 /b # SKIP no bus$" "${good[@]}"
qtest "a test that vanished" 1 "^missing: aarch64 /a$" 1..1 "${good[2]}"
qtest "a test that skips now" 1 "^missing: x86_64 /a$" 1..2 "${good[1]} # SKIP no device" "${good[2]}"
qtest "a test that fails" 1 "^not ok 1 x86_64 /a$" 1..2 "not ${good[1]}" "${good[2]}"
qtest "no test" 1 "^missing: x86_64 /a$" 1..0

# Each test of the series is in a negative control of the plan, by what the lists have.
controlled() { # BASE REPOSITORY
	local p picked all rc=0 ours=$2/guest/ours.$1
	all=$(cat "$2/tests/names/$1"/kselftest-*)
	picked=$(sed -n "/^[a-z]* *| $1 .*PATCHED=0/s/.* T=\"\([^\"]*\)\".*/\1/p" "$2/tests/plan" | xargs -n1)
	while read -r p; do
		grep -qxF -e "$p" <<<"$picked" || { say "no negative control has $p"; rc=1; }
	done < <(grep -Ef <(sed '/^#/d; /^$/d' "$ours") <<<"$all" | cut -d' ' -f1 | sort -u)
	while read -r p; do
		grep -qE -e "$p" <<<"$all" || { say "no name in the lists is like $p"; rc=1; }
	done < <(sed '/^#/d; /^$/d' "$ours")
	return "$rc"
}
while read -r list; do
	is "make check: it has the list $list" test -s "$TOP/tests/names/$list"
done < <(awk -F' *\\| *' '$1 == "check" && $5 != "-" { print $2 "/" $5 }' "$TOP/tests/plan")
for b in "$TOP"/series/linux-*; do
	is "negative control: it has the tests of ${b##*/}" controlled "${b##*/}" "$TOP"
done
rm -rf "$TMP/data"
mkdir -p "$TMP/data"
cp -r "$TOP/guest" "$TOP/tests" "$TMP/data"
sed -i 's/ vfio:vfio_pci_dmabuf_race_test//' "$TMP/data/tests/plan"
expect "negative control: a program that is in none" 1 "^no negative control has vfio:vfio_pci_dmabuf_race_test$" controlled linux-7.3 "$TMP/data"
cp "$TOP/tests/plan" "$TMP/data/tests/"
echo '^vfio:renamed ' >>"$TMP/data/guest/ours.linux-7.3"
expect "negative control: a test that is in no list" 1 "^no name in the lists is like .vfio:renamed" controlled linux-7.3 "$TMP/data"

# Each patch builds, with a tree of our own. A compiler that is a fake chokes on "broken".
rm -rf series/linux-7.3
mkdir -p series/linux-7.3/{one,two}
printf '%s\n' one two >series/linux-7.3/order
touch series/linux-7.3/one/000{1,2,3}.patch series/linux-7.3/two/0001.patch
cat >scripts/build-linux <<'B'
#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
at=$BUILD/obj/$LINUX/$ARCH-${CONFIG:-debug}
rev=${2:-HEAD}
[ -z "${2:-}" ] || at+=-at
echo "$* $ARCH ${CONFIG:-debug}" >>"$BUILD/builds"
if git -C "$SRC" grep -q broken "$rev"; then echo "x.c:1: broken"; exit 1; fi
mkdir -p "$at"
git -C "$SRC" rev-parse "$rev^{tree}" >"$at/vmlinux.o"
for f in $(git -C "$SRC" ls-tree -r --name-only "$rev"); do
	case $f in
	drivers/other/*|arch/*) ;;
	*.c) mkdir -p "$at/${f%/*}"; : >"$at/${f%.c}.o" ;;
	esac
done
B
tree=build/linux-7.3
rm -rf $tree build/obj
mygit() { git -C "$tree" -c user.name=x -c user.email=x@localhost "$@"; }
patch() { # SUBJECT FILE...
	local f
	for f in "${@:2}"; do mkdir -p "$tree/${f%/*}"; echo "$1" >>"$tree/$f"; done
	mygit add -A
	mygit commit -q --allow-empty -m "$1"
}
git init -q $tree
patch base drivers/a.c
mygit tag base
patch $'letter\n\nTopic: one'
patch first drivers/a.c
patch docs Documentation/x.rst
patch other drivers/other/b.c
patch $'letter\n\nTopic: two'
patch last tools/testing/t.c
mygit tag good
build_all() { # NAME STATUS MESSAGE
	expect "build-all: $1" "$2" "$3" in_fake scripts/build-all linux
}
build_all "all is well" 0 "^ok linux-7.3/one/1$"
is "build-all: the rest of it" diff <(grep -E '^(not )?ok ' "$TMP/out") - <<'O'
ok linux-7.3/one/1
ok linux-7.3/one/2 # SKIP not compiled here
ok linux-7.3/one/3 # SKIP not compiled here: drivers/other/b.c
ok linux-7.3/two/1
ok objects of build/at/linux-7.3 are those of build/linux-7.3
O
is "build-all: the tests of a patch of tests" grep -E "^--tests [0-9a-f]{40} x86_64 debug$" build/builds
touch series/linux-7.3/two/0002.patch
build_all "a patch that is not in the tree" 1 "^not ok linux-7.3/two has 1 commits, series/ has 2 patches$"
rm series/linux-7.3/two/0002.patch
echo three >>series/linux-7.3/order
build_all "a topic that is not in the tree" 1 "^not ok topics of linux-7.3: those of series/linux-7.3/order are one two three$"
sed -i '/three/d' series/linux-7.3/order
patch $'letter\n\nTopic: three'
build_all "a topic that is only in the tree" 1 "^not ok topics of linux-7.3: "
mygit reset -q --hard good
patch "one more" drivers/c.c drivers/other/b.c
touch series/linux-7.3/two/0002.patch
build_all "a file that no object is made of" 0 "^# not compiled here: drivers/other/b.c$"
patch broken drivers/c.c
patch "mended" drivers/d.c
sed -i /broken/d $tree/drivers/c.c
patch "mended, too" drivers/d.c
touch series/linux-7.3/two/000{3,4,5}.patch
build_all "a patch that does not build" 1 "^not ok linux-7.3/two/3: broken$"
is "build-all: and goes on" grep -x 'ok linux-7.3/two/5' "$TMP/out"
is "build-all: and says why" grep -x '# x.c:1: broken' "$TMP/out"
mygit reset -q --hard base
patch stray drivers/a.c
build_all "a commit in no topic" 1 "^error: .*/$tree: commit [0-9a-f]{12} comes before the first cover letter"
isnt "build-all: a commit in no topic: nothing is said to be good" grep '^ok' "$TMP/out"

# Lint, with a tree of our own, whose compiler, checkpatch, coccinelle and the like are a
# fake: the files in $TMP/finds have what they find, $TMP/fails the names of those that fail.
rm -rf $tree series
mkdir -p series/linux-7.3 "$TMP/finds" "$TMP/fails" "$TMP/bin"
echo one >series/linux-7.3/order
git init -q -b main $tree
patch base drivers/a.c arch/x86/b.c arch/arm64/c.c arch/xtensa/d.c
mygit tag base
patch $'one: What it is\n\nWhat for.\n\nTopic: one'
patch 'one: Change it' drivers/a.c drivers/e.c arch/x86/b.c arch/arm64/c.c arch/xtensa/d.c
export TMP
cat >"$TMP/bin/bwrap" <<'B'
#!/bin/sh
all=$*
while [ "$1" != -- ]; do shift; done
case "$*" in
*'C=2'*) what=sparse; printf '%s\n' "$@" >"$TMP/sparse.args" ;;
*rustfmtcheck*) what=rustfmt ;;
*spatch*) what=coccinelle; printf '%s\n' "$@" >"$TMP/coccinelle.args" ;;
*checkpatch*) what=checkpatch; echo "$all" >>"$TMP/checkpatch.args" ;;
*shellcheck*) what=shellcheck ;;
*scripts/figures*) what=figures ;;
*) what=other ;;
esac
[ ! -e "$TMP/finds/$what" ] || cat "$TMP/finds/$what"
[ ! -e "$TMP/fails/$what" ]
B
chmod +x "$TMP/bin/bwrap"
cat >scripts/build-linux <<'B'
#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
mkdir -p "$BUILD/obj/$LINUX/x86_64-debug"
: >"$BUILD/obj/$LINUX/x86_64-debug/.config"
B
linted() { in_fake PATH="$TMP/bin:$PATH" SANDBOX_WORKS=1 "$@"; }
lints() { # NAME STATUS MESSAGE
	expect "lint: $1" "$2" "$3" linted scripts/lint
	rm -f "$TMP"/finds/* "$TMP"/fails/*
}
is "lint: a series" linted FORCE=1 scripts/export linux-7.3
lints "all is well" 0 "^ok sparse and W=1 on touched files$"
isnt "lint: all is well: of all there is" grep '^not ok' "$TMP/out"
is "lint: sparse is for what is touched, and for x86" diff <(grep '\.o$' "$TMP/sparse.args") - <<<$'arch/x86/b.o\ndrivers/a.o\ndrivers/e.o'
is "lint: coccinelle is, too" diff <(grep '\.c$' "$TMP/coccinelle.args") - <<<$'arch/x86/b.c\ndrivers/a.c\ndrivers/e.c'
is "lint: its kernel has what tests/lint names" grep -x CONFIG_DRM_I915=m build/obj/linux-7.3/lint/.config
echo drivers/e.c >>tests/lint/not-compiled
echo 'drivers/a\.c' >>tests/lint/not-coccinelle
lints "files that are left out" 0 "^ok coccinelle on touched files$"
is "lint: files that are left out: of sparse" diff <(grep '\.o$' "$TMP/sparse.args") - <<<$'arch/x86/b.o\ndrivers/a.o'
is "lint: files that are left out: of coccinelle" diff <(grep '\.c$' "$TMP/coccinelle.args") - <<<arch/x86/b.c
cp "$TOP"/tests/lint/* tests/lint
finding() { # NAME STATUS MESSAGE WHO TEXT
	printf '%s\n' "$5" >"$TMP/finds/$4"
	lints "$1" "$2" "$3"
}
finding "sparse, on a line of ours" 1 "^not ok sparse" sparse '/src/drivers/a.c:2:9: warning: Using plain integer as NULL pointer'
finding "sparse, on a line of the base" 0 "^ok sparse" sparse '/src/drivers/a.c:1:9: warning: Using plain integer as NULL pointer'
finding "sparse, on a line of a new file" 1 "^# /src/drivers/e.c:1:9: warning: x" sparse $'/src/drivers/a.c:1:9: warning: x\n/src/drivers/e.c:1:9: warning: x'
finding "sparse, what it does not understand" 0 "^ok sparse" sparse '/src/drivers/a.c:2:1: error: bad constant expression'
: >"$TMP/fails/sparse"
lints "a compiler that fails" 1 "^not ok sparse"
finding "coccinelle, on a line of ours" 1 "^not ok coccinelle" coccinelle 'drivers/a.c:2:9-10: WARNING: x'
finding "coccinelle, on a line of the base" 0 "^ok coccinelle" coccinelle 'drivers/a.c:1:9-10: WARNING: x'
finding "coccinelle, a rule that fails" 1 "^# scripts/coccinelle/x.cocci failed" coccinelle 'scripts/coccinelle/x.cocci failed'
finding "coccinelle, no rules" 1 "^# there are no rules" coccinelle 'there are no rules'
finding "checkpatch" 1 "^not ok checkpatch linux-7.3/one/0001-" checkpatch 'WARNING: x'
for who in checkpatch shellcheck figures rustfmt; do
	: >"$TMP/fails/$who"
	lints "$who fails" 1 "^not ok $who"
done
sed -i 's/^ base$/ other/' series/linux-7.3/one/0001-*.patch
lints "a patch that does not apply" 1 "^not ok linux-7.3/one applies to its base$"
is "lint: nor is it what the tree has" grep '^not ok export of build/linux-7.3 is the identity' "$TMP/out"
in_fake FORCE=1 scripts/export linux-7.3 >/dev/null
cp -r series "$TMP/series"
rm series/linux-7.3/one/0001-*.patch
expect "lint: no patches: tags" 1 "^not ok no tag" linted scripts/lint text
is "lint: no patches: Fixes" grep '^not ok Fixes' "$TMP/out"
is "lint: no patches: messages" grep '^not ok no placeholder' "$TMP/out"
rm -r series
mv "$TMP/series" .
mygit tag -d base >/dev/null
lints "a tree without its base" 1 "^not ok sparse"
is "lint: a tree without its base: coccinelle" grep '^not ok coccinelle' "$TMP/out"
mygit tag base "$(mygit rev-list --max-parents=0 HEAD)"
mygit reset -q --hard base
lints "a tree in which no file is touched" 1 "^not ok sparse"
is "lint: a tree in which no file is touched: coccinelle" grep '^not ok coccinelle' "$TMP/out"

# A topic on two bases.
mv $tree series "$TMP/"
on_base() { # BASE CONTEXT LINE SUBJECT NOTE: a patch that adds the line
	local tree=build/$1
	rm -rf "$tree" "series/$1"
	mkdir -p "$tree/drivers" "series/$1"
	echo one >"series/$1/order"
	git init -q -b main "$tree"
	printf '%s\n' "$2" x >"$tree/drivers/a.c"
	mygit add -A
	mygit commit -qm base
	mygit tag base
	mygit commit -q --allow-empty -m "one: What it is" -m "$5" -m 'Topic: one'
	printf '%s\n' "$2" x "$3" >"$tree/drivers/a.c"
	mygit commit -qam "$4"
	in_fake FORCE=1 scripts/export "$1" >/dev/null
}
two_bases() { # NAME STATUS MESSAGE
	lints "two bases: $1" "$2" "$3"
	is "lint: two bases: $1: of that only" [ "$(sed -n '/^not ok/p' "$TMP/out" | wc -l)" = "$2" ]
}
on_base linux-7.3 newer new 'one: Add' ''
on_base linux-7.1 older new 'one: Add' ''
two_bases "another context" 0 "^ok one on linux-7.1 and linux-7.3$"
on_base linux-7.3 newer newer 'one: Add' 'Note that "one: Add" is short.'
two_bases "another line" 1 "^# not in the note on differences: one: Add$"
on_base linux-7.3 newer newer 'one: Add' $'Differences from the series for linux-7.1:\n\n- "one: Add": another line.'
two_bases "another line, with a note" 0 "^ok one on linux-7.1 and linux-7.3$"
on_base linux-7.3 newer new 'one: Put' $'Differences from the series for linux-7.1, which is older:\n\n- "one:\n  Put": another subject.'
two_bases "a patch of the older one only" 1 "^# on linux-7.1 only, and not in the note on differences: one: Add$"

# One of them that no place has any more.
cp scripts/tree "$TMP/tree"
forget() { # BASE
	printf '#!/bin/sh\n[ "$1" != %s ] || { echo "no $1"; exit 4; }\n' "$1" >scripts/tree
}
on_base linux-7.3 newer new 'one: Add' ''
rm -r build/linux-7.1 "$TMP/checkpatch.args"
forget linux-7.1
gone="# SKIP no place has linux-7.1 any more"
two_bases "one is lost" 0 "^ok linux-7.1/one applies to its base $gone$"
is "lint: two bases: one is lost: what else is skipped" diff <(grep SKIP "$TMP/out") - <<O
ok export of build/linux-7.1 is the identity $gone
ok linux-7.1/one applies to its base $gone
O
is "lint: two bases: one is lost: what is not" diff <(grep '^ok .*linux-7.1' "$TMP/out" | grep -v SKIP) - <<'O'
ok linux-7.1/one tells what it needs
ok one on linux-7.1 and linux-7.3
ok checkpatch linux-7.1/one/0001-one-Add.patch
O
is "lint: two bases: one is lost: it has the other one's checkpatch" grep -E "build/linux-7.3 /src .*/series/linux-7.1/one /in .*checkpatch\.pl .*--strict" "$TMP/checkpatch.args"
p=series/linux-7.1/one/0001-one-Add.patch
finding "two bases: one is lost: checkpatch" 1 "^not ok checkpatch linux-7.1/one/0001-" checkpatch 'WARNING: x'
sed -i 's/^+new$/+old/' $p
two_bases "one is lost: another line" 1 "^# not in the note on differences: one: Add$"
sed -i 's/^---$/@FILL@\n---/' $p
lints "two bases: one is lost: a placeholder" 1 "^not ok no placeholder in a message$"
expect "lint: two bases: the one that is lost is meant" 4 "^no linux-7.1$" linted env BASE=linux-7.1 scripts/lint
forget linux-7.3
expect "lint: two bases: the default one is lost" 4 "^no linux-7.3$" linted env BASE=linux-7.1 scripts/lint
mv "$TMP/tree" scripts/
rm -rf build/linux-7.1 $tree series
mv "$TMP/${tree#build/}" build/
mv "$TMP/series" .

# Mutants, of a tree of our own, in a guest that is a fake.
mygit reset -q --hard base
rm -f tests/mutants/*
run_says() { # LINE...
	{ echo '#!/bin/sh'
	  echo 'cat <<O'
	  printf '%s\n' "$@" O
	  echo 'exit 1'; } >scripts/run
	chmod +x scripts/run
}
mutated() { # TEST [LOG]: a mutant that this is to notice
	{ printf '%s\n' "It breaks a promise" "Test: $1" ${2:+"Log: $2"}
	  echo hey >$tree/drivers/a.c
	  mygit diff; } >tests/mutants/one.patch
	mygit reset -q --hard base
}
mutant() { # NAME STATUS LINE...: what the run says
	run_says "${@:3}"
	expect "mutant: $1" "$2" "^(not )?ok 1 - one is noticed by " in_fake tests/mutants.sh
}
mutated 'vfio:one a.b'
mutant "its test fails" 0 'error: failed: vfio:one a.b'
mutant "no test fails" 1 '3 passed, 0 failed, 0 skipped'
mutant "another test fails" 1 'error: failed: vfio:one a.c' 'error: failed: vfio:one a.b2'
mutant "its test is missing" 1 'error: missing: vfio:one a.b'
mutant "it does not build" 1 'error: kernel linux-7.3 x86_64-debug failed (status 2)'
mutant "a report of the kernel, and no more" 1 'error: kernel report: BUG: KASAN: x'
mutated vfio:one 'KASAN: slab'
mutant "its report" 0 'error: kernel report: BUG: KASAN: slab-out-of-bounds'
mutant "another report" 1 'error: kernel report: BUG: x' 'error: failed: vfio:one a'
mutated 'kunit suite case'
mutant "its KUnit case fails" 0 'error: failed: kunit:suite case'
mutant "another KUnit case fails" 1 'error: failed: kunit:suite case2' 'error: failed: kunit:suite2 case'
mutant "a KUnit case runs into a bug" 0 'error: kernel report: [ 1.0] BUG: unable to handle page fault'
mutant "a machine that is too slow" 1 'error: kernel report: [ 1.0] rcu: INFO: rcu_sched self-detected stall on CPU' \
	'error: kernel report: [ 1.0] INFO: task sh:1 blocked for more than 10 seconds' \
	'error: kernel report: [ 1.0] watchdog: BUG: soft lockup - CPU#0 stuck for 22s!'
sed -i 's/^-base/-other/' tests/mutants/one.patch
expect "mutant: it does not apply" 1 "^# one does not apply to build/linux-7.3$" in_fake tests/mutants.sh
mutated vfio:one
sed -i '1a Base: linux-7.1' tests/mutants/one.patch
mv scripts/tree "$TMP/tree"
forget linux-7.1
chmod +x scripts/tree
expect "mutant: no place has its base" 0 "^ok 1 - one # SKIP no place has linux-7.1 any more$" in_fake tests/mutants.sh
forget linux-7.3
sed -i '/^Base:/d' tests/mutants/one.patch
expect "mutant: no place has the default base" 4 "^no linux-7.3$" in_fake tests/mutants.sh
mv "$TMP/tree" scripts/
rm tests/mutants/one.patch
expect "mutant: there is none" 2 "\*.patch: No such file" in_fake tests/mutants.sh

# The header of the UAPI may be missing in an old commit only.
uapi() { # REV
	# shellcheck disable=SC2016
	REV=$1 bash -ec 'eval "$(sed -n "/^uapi()/,/^}/p" tests/link.sh)"; src=/none objs=/none at=; kmake() { :; }; sandbox() { false; }; uapi arm arm-'
}
is "link: an old commit without the header of the UAPI" uapi 0123456
isnt "link: no header of the UAPI" uapi ''

were_run testbed/fakes
done_testing
