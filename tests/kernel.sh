#!/usr/bin/env bash
# A user's own kernel tree, of full size: topics on top, in it already, in conflict.
. "$(dirname "$0")/lib.sh"

"$TOP/scripts/tree" linux-7.3
base=$BUILD/linux-7.3
topic=dma-buf-heaps-modules patches=$TOP/series/linux-7.3
k=$TMP/kernel
git -C "$base" worktree add -q --detach "$k" base
# Not 'name': in what expect() runs that is the test's.
copy=kernel-$(sha256sum <<<"$k" | cut -c1-8)
trap 'git -C "$base" worktree remove --force "$k"; rm -rf "$TMP" "$BUILD/$copy" "$BUILD/$copy.tmp"' EXIT
tree() { KERNEL=$k SERIES=$1 "$TOP/scripts/tree" "$copy"; }
subjects() { git -C "$BUILD/$copy" log --format=%s base..; }
named() { grep -c '^in the tree already: ' "$TMP/out"; }
count() { find "$@" -name '*.patch' | wc -l; }

expect "a topic on a tree of the base's version" 0 "tree build/$copy" tree $topic
is "its patches are there" [ "$(subjects | wc -l)" -gt 1 ]
isnt "nothing is known to be there already" grep 'in the tree already' "$TMP/out"
git -C "$k" checkout -q --detach $topic
expect "a tree that has the topic" 0 "in the tree already: series/linux-7.3/$topic/0001-" tree $topic
is "each of its patches is named" [ "$(named)" = "$(count "$patches/$topic")" ]
is "none is applied again" [ "$(subjects | wc -l)" = 1 ]
git -C "$k" checkout -q --detach main
expect "a tree that has all topics" 0 "^in the tree already: " tree ''
is "all patches of all of them are named" [ "$(named)" = "$(count "$patches")" ]
is "there is nothing to apply but letters" [ "$(subjects | wc -l)" = "$(grep -vc '^#' "$patches/order")" ]
expect "make port says the same" 0 "^$topic: of .* 0 would apply, " make -s -C "$TOP" port KERNEL="$k"
is "make port: no patch would apply" [ "$(grep -c ' 0 would apply, .* 0 in conflict$' "$TMP/out")" = "$(grep -vc '^#' "$patches/order")" ]
git -C "$k" checkout -q --detach base
f=$(sed -n 's,^+++ b/,,p' "$patches/$topic"/0001-*.patch | head -n1)
sed -i 's/$/ /' "$k/$f"
expect "a conflict says which patch" 1 "^series/linux-7.3/$topic/0001-.* conflicts with KERNEL=$k" tree $topic
is "and how to go on" grep -F "am -3 $(printf %q "$patches/$topic")/*.patch" "$TMP/out"
is "the tree is as it was" [ "$(git -C "$k" status --porcelain)" = " M $f" ]
done_testing
