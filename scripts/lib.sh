# shellcheck shell=bash
# Sourced by every script here: names of places, messages, stage times, the sandbox.

# First of all, and in words that any shell knows.
case ${BASH_VERSION:-none} in
4.[4-9]*|[5-9].*|[1-9][0-9].*) ;;
*) echo "error: this takes bash 4.4 or newer; this shell is ${BASH_VERSION:-another one}" >&2; exit 1 ;;
esac
set -Eeuo pipefail
umask 022
# What users have for kernels of their own, and would change what is built here.
unset CDPATH LLVM CROSS_COMPILE CROSS KCONFIG_ALLCONFIG LINES_OF_MAKE
# Nothing ends without a word.
on_err() { printf 'error: %s: line %s failed with status %s\n' "${BASH_SOURCE[1]##*/}" "${BASH_LINENO[0]}" "$1" >&2; }
trap 'on_err $?' ERR

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$TOP/build
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/dmabuf-series
LOGS=$BUILD/logs
JOBS=${JOBS:-$(nproc)}
ARCH=${ARCH:-x86_64}
# The tree of Linux that is meant: a base, or a copy of the user's own tree.
DEFAULT_BASE=linux-7.3
BASE=${BASE:-$DEFAULT_BASE}
# shellcheck disable=SC2034
QEMU=$(cd "$TOP/series" && echo qemu-*)
mkdir -p "$BUILD" "$LOGS" "$CACHE/base" "$CACHE/ccache" "$CACHE/times"

say() { printf '%s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# The path of a file or folder that the user names; make does not expand a tilde.
user_path() { # PATH
	local p=$1
	case $p in \~|\~/*) p=$HOME${p#\~} ;; esac
	realpath -e "$p" 2>/dev/null || echo "$p"
}

for v in GIT TARBALLS CHANGELOG; do
	[ -z "${!v:-}" ] || export "$v=$(user_path "${!v}")"
done
case $ARCH in
x86_64|arm64) ;;
*) die "ARCH=$ARCH: must be x86_64 or arm64" ;;
esac
case $BASE in
linux-*) [ -f "$TOP/series/$BASE/order" ] ;;
*) false ;;
esac || die "BASE=$BASE: must be one of $(cd "$TOP/series" && echo linux-*)"
LINUX=$BASE
if [ -n "${KERNEL:-}" ]; then
	KERNEL=$(user_path "$KERNEL")
	[ -f "$KERNEL/Makefile" ] && [ -f "$KERNEL/Kbuild" ] || die "KERNEL=$KERNEL: not a kernel tree"
	export KERNEL
	LINUX=kernel-$(sha256sum <<<"$KERNEL" | cut -c1-8)
elif [ -n "${SERIES:-}" ]; then
	die "SERIES goes with KERNEL=<path of an own tree>; the trees of the bases hold all of their topics"
fi
# shellcheck disable=SC2034
SRC=$BUILD/$LINUX
case $JOBS in
''|*[!0-9]*|0) die "JOBS=$JOBS: must be a number above 0" ;;
esac

# What CONFIG asks for: names in guest/config, and paths of other fragments -> CONFIG
# with full paths, and $config, a name for what is made from it.
read_config() {
	local f n words=()
	config=''
	for f in ${CONFIG:-debug}; do
		case $f in
		*/*)
			f=$(user_path "$f")
			[ -f "$f" ] || die "CONFIG: no file '$f'"
			case $f in *[[:space:]]*) die "CONFIG: '$f' has a space in it" ;; esac
			n=${f##*/}
			n=${n//[^A-Za-z0-9_.]/_}.$(sha256sum <<<"$f" | cut -c1-8) ;;
		*)
			[ -f "$TOP/guest/config/$f" ] || die "CONFIG: no fragment guest/config/$f; there are: $(cd "$TOP/guest/config" && echo *), and the path of any other one, with a / in it"
			n=$f ;;
		esac
		words+=("$f") config+=${config:+-}$n
	done
	export CONFIG="${words[*]}"
}

# attempt COMMAND...: its status, in RC. Not the same as 'COMMAND || ...': set -e
# would not hold inside of it then.
attempt() {
	trap - ERR
	set +e
	( set -e; "$@" )
	RC=$?
	set -e
	trap 'on_err $?' ERR
}

# A base that no place has any more (status 4 of scripts/fetch) is left out by what is about
# all of them, but not the default one, nor the one that is meant, nor QEMU.
spare() { # BASE
	case $1 in "$DEFAULT_BASE"|"$LINUX"|qemu-*) false ;; esac
}
has_tree() { # BASE: make it; false if it has to be left out
	attempt "$TOP/scripts/tree" "$1"
	[ "$RC" -ne 0 ] || return 0
	[ "$RC" -eq 4 ] && spare "$1" || exit "$RC"
	return 1
}

# room FOLDER GB WHAT: is there as much on its disk? Better now than in the middle.
room() {
	local free
	free=$(df -k --output=avail "$1" | tail -n1)
	[ $((free >> 20)) -ge "$2" ] || die "$3 takes about $2 GB, and $((free >> 20)) GB are free on the disk of $1 (build/ and XDG_CACHE_HOME may be on others)"
}

# work_tmp GB: the first folder for temporary files with as much room, in which programs
# can be run.
work_tmp() {
	local d t rc
	for d in "${TMPDIR:-/tmp}" /tmp /var/tmp "$BUILD"; do
		t=$(mktemp "$d/dmabuf-series.XXXXXX" 2>/dev/null || true)
		[ -n "$t" ] || continue
		rc=0
		{ printf '#!/bin/sh\n' >"$t" && chmod +x "$t" && "$t"; } 2>/dev/null || rc=1
		rm -f "$t"
		[ $rc -eq 0 ] && (room "$d" "$1" x) 2>/dev/null || continue
		echo "$d"
		return
	done
	die "no folder for temporary files: TMPDIR=${TMPDIR:-/tmp}, /tmp, /var/tmp and build/ have less than $1 GB, or are mounted noexec"
}

# How long a step took last time, or takes elsewhere (tests/weights), and the lines of its
# log: "SECONDS LINES last time", "SECONDS LINES usually", or nothing.
last_time() { # NAME
	local seconds lines
	if read -r seconds lines 2>/dev/null <"$CACHE/times/${1//[^A-Za-z0-9._-]/-}.log"; then
		echo "$seconds ${lines:-0} last time"
	else
		awk -F'\t' -v n="$1" '$1 == n { print $2, $3 + 0, "usually" }' "$TOP/tests/weights"
	fi
}

# stage NAME COMMAND...: run a long step. Says what it does, how long it took last time or
# takes as a rule, and where its log is, each half a minute how far it is, measured by the
# lines in the log; a failure shows the end of the log.
stage() {
	local name=$1 log=$LOGS/${1//[^A-Za-z0-9._-]/-}.log last lines how t0=$SECONDS ticker
	shift
	read -r last lines how < <(last_time "$name") || true
	printf '%-44s %-9s %5s s, log %s\n' "$name" "${how:-last time}" "${last:-?}" "${log#"$TOP"/}"
	: >"$log"
	progress "$name" "$log" "${last:-0}" "${lines:-0}" &
	ticker=$!
	attempt "$@" >"$log" 2>&1 </dev/null
	kill $ticker 2>/dev/null && wait $ticker 2>/dev/null || true
	if [ "$RC" -ne 0 ]; then
		tail -n 25 "$log" >&2
		die "$name failed (status $RC), see ${log#"$TOP"/}"
	fi
	echo "$((SECONDS - t0)) $(wc -l <"$log")" >"$CACHE/times/${log##*/}"
	printf '%s\t%s\n' "$name" $((SECONDS - t0)) >>"$BUILD/stages"
}

progress() { # NAME LOG SECONDS LINES: of last time, or as a rule
	local t0=$SECONDS n t left tick
	trap - ERR
	set +e
	# No 'sleep', which would outlive this one and keep locks and pipes open.
	exec {tick}<> <(:)
	while read -rt 30 -u "$tick"; [ $? -gt 128 ] && kill -0 $$ 2>/dev/null; do
		n=$(wc -l <"$2") t=$((SECONDS - t0)) left=''
		if [ "$4" -gt 30 ]; then
			[ "$n" -eq 0 ] || left=", about $((n < $4 ? ($4 - n) * t / n : 0)) s left"
			printf '    %s: %d s, %d of about %d steps%s\n' "$1" $t "$n" "$4" "$left"
		else
			[ "$3" -le $t ] || left=", about $(($3 - t)) s left"
			printf '    %s: %d s%s\n' "$1" $t "$left"
		fi
	done
}

# One process at a time may fill a place in the cache.
cache_lock() {
	exec 9>"$CACHE/lock.$1"
	flock 9
}

root_key() {
	cat "$TOP/root/packages" "$TOP/scripts/root" | sha256sum | cut -c1-16
}
ROOT=$CACHE/root-$(root_key)

# Can bubblewrap do what sandbox() asks for? If not, why.
sandbox_works() {
	local said sys=${PROC_SYS:-/proc/sys} why=''
	[ -z "${SANDBOX_WORKS:-}" ] || return 0
	# The build root may be there, and be from another machine.
	command -v bwrap >/dev/null || die "missing on this machine: bubblewrap; scripts/host-tools installs or names all that is needed"
	said=$(bwrap --ro-bind / / --dev /dev --proc /proc --unshare-pid --unshare-ipc echo works 2>&1 || true)
	if [ "$said" = works ]; then
		export SANDBOX_WORKS=1
		return 0
	fi
	off() { [ "$(cat "$sys/$1" 2>/dev/null)" = "$2" ]; }
	if off kernel/unprivileged_userns_clone 0; then
		why+="
users may not make user namespaces; as root: sysctl kernel.unprivileged_userns_clone=1"
	fi
	if off user/max_user_namespaces 0; then
		why+="
there may be no user namespaces; as root: sysctl user.max_user_namespaces=10000"
	fi
	if off kernel/apparmor_restrict_unprivileged_userns 1; then
		why+="
AppArmor allows user namespaces to programs with a profile only; as root, give bwrap one:
    printf 'abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile bwrap $(command -v bwrap) flags=(unconfined) { userns, }\\n' >/etc/apparmor.d/bwrap
    apparmor_parser -r /etc/apparmor.d/bwrap
or allow them to all: sysctl kernel.apparmor_restrict_unprivileged_userns=0"
	fi
	[ -n "$why" ] || why="
in a container, it has to be a privileged one, or one that may make namespaces and mount"
	die "bubblewrap, in which all is built, does not work here: $said$why"
}

# sandbox [bwrap options] -- COMMAND...: run in the build root, which stays
# read-only. Source, objects and compiler cache are always at /src, /obj and
# /ccache, so that compiler output and cache keys do not depend on where
# this repository lies.
sandbox() {
	local opts=() c
	while [ "$1" != -- ]; do opts+=("$1"); shift; done
	for c in {,aarch64-linux-gnu-,arm-linux-gnueabihf-,powerpc64-linux-gnu-,s390x-linux-gnu-}gcc clang; do
		opts+=(--ro-bind "$TOP/scripts/cc" "/tmp/cc/$c")
	done
	shift
	[ -d "$ROOT" ] || die "no build root: run 'make root'"
	sandbox_works
	bwrap --ro-bind "$ROOT" / --dev /dev --proc /proc --tmpfs /tmp \
		--bind "$CACHE/ccache" /ccache \
		--unshare-pid --unshare-ipc --die-with-parent --clearenv \
		--setenv PATH /tmp/cc:/usr/sbin:/usr/bin:/sbin:/bin \
		--setenv HOME /tmp --setenv LC_ALL C.UTF-8 --setenv TZ UTC \
		--setenv CCACHE_DIR /ccache --setenv CCACHE_MAXSIZE 20G \
		--setenv CCACHE_SLOPPINESS time_macros \
		--setenv KBUILD_BUILD_USER bench --setenv KBUILD_BUILD_HOST bench \
		--setenv KBUILD_BUILD_TIMESTAMP 2026-01-01 \
		"${opts[@]}" --chdir / -- "$@"
}

# kmake SOURCE OBJECTS MAKE-ARGUMENTS...: the kernel's make for ARCH.
kmake() {
	local src=$1 obj=$2 cross=${CROSS:-} quiet=(-s)
	# A line an object, for a stage to count.
	[ -z "${LINES_OF_MAKE:-}" ] || quiet=()
	shift 2
	[ "$ARCH" != arm64 ] || cross=aarch64-linux-gnu-
	sandbox --ro-bind "$src" /src --bind "$obj" /obj --ro-bind "$TOP/guest" /in \
		${KCONFIG_ALLCONFIG:+--setenv KCONFIG_ALLCONFIG "$KCONFIG_ALLCONFIG"} -- \
		nice make "${quiet[@]}" -C /src O=/obj ARCH="$ARCH" CROSS_COMPILE="$cross" ${LLVM:+LLVM=1 CLIPPY=1} LOCALVERSION= -j"$JOBS" "$@"
}

# kconfig SOURCE OBJECTS FRAGMENT: what the fragment asks for, by the last line for each
# option; all else is off. In one run of Kconfig, since it asks the compiler a lot.
kconfig() {
	tac "$3" | awk '/^CONFIG_[A-Za-z0-9_]+=/ || /^# CONFIG_[A-Za-z0-9_]+ is not set$/ {
		match($0, /CONFIG_[A-Za-z0-9_]+/)
		if (!seen[substr($0, RSTART, RLENGTH)]++) print
	}' >"$2/allno.config"
	KCONFIG_ALLCONFIG=/obj/allno.config kmake "$1" "$2" allnoconfig
}

# Every line of the fragments must hold in the end; the last one wins.
check_config() { # FRAGMENT CONFIG
	awk 'match($0, /CONFIG_[A-Za-z0-9_]+/) {
			n = substr($0, RSTART, RLENGTH)
			if ($0 ~ /^CONFIG_[A-Za-z0-9_]+=/) v = substr($0, RLENGTH + 2)
			else if ($0 ~ /^# CONFIG_[A-Za-z0-9_]+ is not set$/) v = "n"
			else next
			if (FILENAME == ARGV[1]) want[n] = v; else have[n] = v
		}
		END {
			for (n in want) {
				h = n in have ? have[n] : "n"
				if (want[n] != h) { printf "config: %s=%s did not stick: it is %s\n", n, want[n], h; bad = 1 }
			}
			exit bad
		}' "$1" "$2"
}

# Temporary files, those of a user's mmdebstrap too, which unpacks there.
if [ -z "${TMP_CHOSEN:-}" ]; then
	TMPDIR=$(work_tmp 4 2>/dev/null || echo "${TMPDIR:-/tmp}")
	export TMPDIR TMP_CHOSEN=1
fi
