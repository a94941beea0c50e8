#!/usr/bin/env bash
# A user's own kernel tree, of full size: topics on top, in it already, in conflict.
. "$(dirname "$0")/lib.sh"

"$TOP/scripts/tree" linux-7.3
base=$BUILD/linux-7.3
topic=dma-buf-heaps-modules
k=$TMP/kernel
git -C "$base" worktree add -q --detach "$k" base
trap 'git -C "$base" worktree remove --force "$k"; rm -rf "$TMP" "$BUILD/$name"' EXIT
name=kernel-$(sha256sum <<<"$k" | cut -c1-8)
tree() { KERNEL=$k SERIES=$1 "$TOP/scripts/tree" "$name"; }
subjects() { git -C "$BUILD/$name" log --format=%s base..; }

expect "a topic on a tree of the base's version" 0 "tree build/$name" tree $topic
is "its patches are there" [ "$(subjects | wc -l)" -gt 1 ]
isnt "nothing is known to be there already" grep 'in the tree already' "$TMP/out"
git -C "$k" checkout -q --detach $topic
expect "a tree that has the topic" 0 "in the tree already: series/linux-7.3/$topic/0001-" tree $topic
is "each of its patches is named" [ "$(grep -c 'in the tree already' "$TMP/out")" = "$(find "$TOP/series/linux-7.3/$topic" -name '*.patch' | wc -l)" ]
is "none is applied again" [ "$(subjects | wc -l)" = 1 ]
git -C "$k" checkout -q --detach base
f=$(git -C "$base" log -1 --format= --name-only --diff-filter=M "$(git -C "$base" rev-list --reverse base..$topic | sed -n 2p)" | head -n1)
sed -i 's/^\(.*[;{]\)$/\1 /' "$k/$f"
expect "a conflict says which patch" 1 "^series/linux-7.3/$topic/0001-.* conflicts with KERNEL=$k" tree $topic
is "and how to go on" grep -F "git -C $k am -3 $TOP/series/linux-7.3/$topic/0001-" "$TMP/out"
is "the tree is as it was" [ "$(git -C "$k" status --porcelain)" = " M $f" ]
done_testing
