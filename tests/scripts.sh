#!/usr/bin/env bash
# The bench's scripts, given what they should refuse. No guest.
. "$(dirname "$0")/lib.sh"

# A copy of this repository as it is, with a build/ of its own, on the same cache.
repo=$TMP/repo
mkdir "$repo"
git -C "$TOP" ls-files -z | tar -C "$TOP" --null -T - -cf - | tar -C "$repo" -xf -

# A cache that holds the build root and nothing else.
empty_cache() {
	rm -rf "$TMP/cache"
	mkdir -p "$TMP/cache/dmabuf-series/base"
	ln -s "$ROOT" "$TMP/cache/dmabuf-series/"
}
with_cache() { env XDG_CACHE_HOME="$TMP/cache" "$@"; }

cd "$repo"
expect "unknown target" 2 "no target 'nonsense'; see 'make help'" make nonsense
expect "unknown variable" 2 "no variable 'ARHC'" make tree ARHC=arm64
expect "unknown ARCH" 2 "ARCH=mips: must be" make kselftest ARCH=mips
expect "JOBS that is no number" 2 "JOBS=many: must be a number" make tree JOBS=many
expect "unknown WALL" 2 "WALL=2: must be" make bench WALL=2
printf '# text\na\t100\tinstructions\nb\t8\tbytes\nc\t1\tinstructions\na\t9\tns\n' >"$TMP/base.tsv"
printf 'a\t50\tinstructions\nb\t8\tbytes\na\t3\tns\n' >"$TMP/patched.tsv"
expect "table" 0 "^a +100 +50 +0\.500 +2 +9 +3 +3$" bench/table "$TMP/base.tsv" "$TMP/patched.tsv"
expect "table: units, and no wall time" 0 "^b \(bytes\) +8 +8 +1\.000 +1 +- +- +-$" bench/table "$TMP/base.tsv" "$TMP/patched.tsv"
expect "table: only on the base" 0 "^c +1 +- +- +-" bench/table "$TMP/base.tsv" "$TMP/patched.tsv"
printf 'a\t9\tns\na\t50\tinstructions\na\t51\tinstructions\n' >"$TMP/patched.tsv"
expect "table: a figure twice" 1 "'a' is there twice" bench/table "$TMP/base.tsv" "$TMP/patched.tsv"
expect "unknown tree" 1 "no tree 'bsd'" scripts/tree bsd
expect "unknown base" 1 "no base 'linux-1.0'" scripts/fetch linux-1.0
expect "KERNEL that is no kernel" 2 "not a kernel tree" make tree KERNEL="$TMP"
mkdir "$TMP/kernel"
printf 'VERSION = 2\nPATCHLEVEL = 6\nSUBLEVEL = 39\nNAME = x\n' >"$TMP/kernel/Makefile"
: >"$TMP/kernel/Kbuild"
expect "KERNEL of another version" 2 "is version 2.6.39; the topics are for 7\.1" make tree KERNEL="$TMP/kernel"

# The compiler cache. What .incbin takes in is no dependency that the compiler tells of.
mkdir "$TMP/cc"
printf '.incbin "/obj/x"\n' >"$TMP/cc/x.S"
printf 'asm(".incbin \\"/obj/x\\"");\n' >"$TMP/cc/y.c"
compiled() { # CONTENT SOURCE
	printf '%s' "$1" >"$TMP/cc/x"
	sandbox --bind "$TMP/cc" /obj -- gcc -Wp,-MMD,/obj/d -c -o /obj/o "/obj/$2"
	grep -q "$1" "$TMP/cc/o"
}
for f in x.S y.c; do
	is "compiler cache: $f with .incbin" compiled AAAA $f
	is "compiler cache: $f with .incbin of something else" compiled BBBB $f
done

# A file with the right name and the wrong content.
mkdir "$TMP/tarballs"
read -r name < <(sed 's/#.*//' base/qemu-10.0 | grep -oE '[^ ]+\.orig\.tar\.xz')
echo broken >"$TMP/tarballs/$name"
empty_cache
expect "corrupted tarball given by the user" 1 "${name//+/.}: sha256 is not" \
	with_cache env TARBALLS="$TMP/tarballs" scripts/fetch qemu-10.0
isnt "corrupted tarball does not reach the cache" test -e "$TMP/cache/dmabuf-series/base/$name"
echo broken >"$TMP/cache/dmabuf-series/base/$name"
expect "corrupted tarball in the cache is fetched again" 0 "wrong sha256, fetching again" \
	with_cache scripts/fetch qemu-10.0

# A disk that is full: 4 MB, and the smallest base has more.
mine=-m
[ "$(id -u)" -eq 0 ] || mine=-rm
# shellcheck disable=SC2016
expect "full disk" 1 "none of its versions could be had" \
	unshare $mine sh -c 'mount -t tmpfs -o size=4m none "$1" && mkdir -p "$1/dmabuf-series" &&
		ln -s "$2" "$1/dmabuf-series/" && XDG_CACHE_HOME=$1 scripts/fetch qemu-10.0' \
	sh "$TMP/cache" "$ROOT"
is "full disk is named in the log" grep -i 'no space left' build/logs/download-*.log "$TMP/out"

empty_cache
setsid env XDG_CACHE_HOME="$TMP/cache" scripts/fetch qemu-10.0 >/dev/null 2>&1 &
for _ in $(seq 100); do
	[ -z "$(ls -d "$TMP/cache/dmabuf-series/base/tmp."* 2>/dev/null)" ] || break
	sleep 0.1
done
sleep 1
kill -TERM -- -$! 2>/dev/null || true
wait $! 2>/dev/null || true
isnt "interrupted fetch leaves nothing with a final name" test -e "$TMP/cache/dmabuf-series/base/$name"
expect "fetch works after an interrupted one" 0 "download" with_cache scripts/fetch qemu-10.0

# Trees. The small one, from the real cache.
expect "tree" 0 "tree build/qemu" scripts/tree qemu
cp -r series "$TMP/series"
expect "export right after tree" 0 "series/qemu-edu-plus: [0-9]+ patches" scripts/export qemu
is "export right after tree changes nothing" diff -ru "$TMP/series" series

: >build/qemu/hw/misc/new.c
expect "clean keeps a new file" 2 "build/qemu holds work: uncommitted changes or new files" make clean
rm build/qemu/hw/misc/new.c
f=build/qemu/hw/misc/edu-plus.c
echo '/* mine */' >>$f
expect "export of uncommitted changes" 1 "build/qemu has uncommitted changes" scripts/export qemu
expect "clean keeps uncommitted changes" 2 "build/qemu holds work: uncommitted changes" make clean
git -C build/qemu commit -qam 'hw/misc/edu-plus: Mine'
expect "clean keeps commits that were not exported" 2 "holds work: commits or a stash that were not exported" make clean
p=$(echo series/qemu-edu-plus/0001-*.patch)
cp "$p" "$TMP/p"
sed -i 's/^+/+x/' "$p"
expect "tree keeps commits that were not exported" 1 "holds work: commits or a stash that were not exported" scripts/tree qemu
expect "export does not overwrite a series/ that changed" 1 "series/ changed since" scripts/export qemu
cp "$TMP/p" "$p"
expect "export of a commit" 0 "series/qemu-edu-plus: " scripts/export qemu
is "a commit in the tree becomes a patch" sh -c 'ls series/qemu-edu-plus/*-Mine.patch'
expect "clean" 0 "removed build" make clean
isnt "clean removes build/" test -e build/qemu

sed -i 's/^ #include/ #exclude/; s/^-/-x/' series/qemu-edu-plus/*-Mine.patch
sed -i 's/^ /  /' series/qemu-edu-plus/*-Mine.patch
expect "patch that does not apply" 1 "series/qemu-edu-plus does not apply to this base: .*Mine" scripts/tree qemu
isnt "patch that does not apply leaves no tree" test -e build/qemu
sed -i '/qemu-edu-plus/d' series/order
expect "unknown topic of AT" 1 "AT=nonsense/1: no topic 'nonsense'; there are: .*dma-buf" env AT=nonsense/1 "$TOP/scripts/run" kselftest
done_testing
