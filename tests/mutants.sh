#!/usr/bin/env bash
# mutants.sh [NAME...]: each patch in tests/mutants/ breaks one promise of the
# series; the test that it names has to notice. Lines of its header:
#   Base: the base that it is for, if not the newest of Linux
#   Test: link | qtest PATH | kunit SUITE [CASE] | own-mmap NAME | importer NAME |
#     COLLECTION:PROGRAM [TEST]
#   Config: the fragments of the guest's kernel, if not 'debug'
#   Log: what the kernel reports (vm.py), where that is all there is to notice; of KUnit,
#     any report will do that is not one of a machine that is too slow
. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/git.sh"

[ -z "${KERNEL:-}" ] || die "mutants are of series/, not of KERNEL"
newest=$(cd "$TOP/series" && printf '%s\n' linux-* | sort -V | tail -n1)
header() { sed -n "s/^$1: //p" "$TOP/tests/mutants/$2.patch" | head -n 1; }

# The mutant as a commit on top of the tree.
commit() { # TREE NAME
	local tree
	rm -f "$TMP/index"
	index() { GIT_INDEX_FILE=$TMP/index git -C "$BUILD/$1" "${@:2}"; }
	index "$1" read-tree HEAD
	index "$1" apply --cached "$TOP/tests/mutants/$2.patch" || return 1
	tree=$(index "$1" write-tree)
	identity git -C "$BUILD/$1" commit-tree -m "mutant $2" -p HEAD "$tree"
}

# noticed FILE PATTERN: the log says that the test failed. A mutant that does not
# build or boot proves nothing.
noticed() {
	grep -qE -- "$2" "$1" && return 0
	tail -n 25 "$1" | sed 's/^/# /'
	return 1
}

# What the kernel may say of a guest that got too little time.
slow='\brcu|blocked.* for more than|LOCKUP|soft lockup|printk messages dropped'
reported() { # FILE
	sed -n 's/^error: kernel report: //p' "$1" | grep -qvE "$slow"
}

mutant() {
	local name=$1 base test config report rev env rc=0
	base=$(header Base "$name")
	base=${base:-$newest}
	case $base in linux-*) export BASE=$base ;; esac
	has_tree "$base" || { skip "$name" "no place has $base any more"; return; }
	test=$(header Test "$name")
	config=$(header Config "$name") report=$(header Log "$name")
	rev=$(commit "$base" "$name") || { say "# $name does not apply to build/$base"; result 1 "$name"; return; }
	case $test in
	link)
		REV=$rev "$TOP/tests/link.sh" powerpc >"$TMP/log" 2>&1 || true
		noticed "$TMP/log" '^not ok .*link on powerpc' && noticed "$LOGS/link--powerpc.log" 'set_memory_(en|de)crypted.* undefined' || rc=1 ;;
	qtest\ *)
		rm -f "$LOGS"/qtest-*.log
		REV=$rev "$TOP/scripts/qtest" >"$TMP/log" 2>&1 || true
		noticed "$LOGS/qtest-x86_64.log" "^not ok .*${test#qtest }( |\$)" || rc=1 ;;
	kunit\ *)
		# shellcheck disable=SC2086
		set -- $test
		GUESTENV=SUITES=$2 RUN=mutant REV=$rev CONFIG=${config:-debug} "$TOP/scripts/run" kunit >"$TMP/log" 2>&1 || true
		# What a test runs into can be a bug that the kernel tells of, and no more.
		noticed "$TMP/log" "^error: ${report:+kernel report: .*}${report:-failed: kunit:$2 ${3:-[^ (]+}\$}" ||
			{ [ -z "$report" ] && reported "$TMP/log"; } || rc=1 ;;
	own-mmap\ *|importer\ *)
		set -- "${test%% *}"
		RUN=mutant REV=$rev CONFIG=debug "$TOP/scripts/run" tap "$TOP/guest/modules/$1/$1.job" >"$TMP/log" 2>&1 || true
		noticed "$TMP/log" "^error: failed: ${test#* }\$" || rc=1 ;;
	*)
		# shellcheck disable=SC2086
		set -- $test
		env=''
		# Programs whose tests are filtered by their arguments run that test alone.
		case $test in
		*load_without_memory) env=HEAP_MODULES_FAULTS=1 ;;
		vfio:*\ *|iommu:*\ *|*:udmabuf_access\ *|*:vkms-flip\ *) set -- "$1#${2##*.}" ;;
		esac
		GUESTENV="$env" RUN=mutant REV=$rev T=$1 CONFIG=${config:-debug} APPEND=dma_heap.mem_accounting=1 "$TOP/scripts/run" kselftest >"$TMP/log" 2>&1 || true
		noticed "$TMP/log" "^error: ${report:+kernel report: .*}${report:-failed: $test\$}" || rc=1 ;;
	esac
	result $rc "$name is noticed by $test: $(head -n 1 "$TOP/tests/mutants/$name.patch")"
}

if [ $# -eq 0 ]; then
	cd "$TOP/tests/mutants" && set -- *.patch && set -- "${@%.patch}"
fi
for m; do mutant "$m"; done
done_testing
