# shellcheck shell=bash
# Sourced after lib.sh: how trees and series/ are turned into each other. The
# result must depend on neither the user's git configuration nor the day.

export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
# Set when we are called from a git hook, or by the user for their own commits.
# shellcheck disable=SC2046
unset $(git rev-parse --local-env-vars) GIT_{AUTHOR,COMMITTER}_{NAME,EMAIL,DATE}
NAME=dmabuf-series
EMAIL=dmabuf-series@localhost
EPOCH=2026-01-01T00:00:00Z
# Not *.patch, so that 'git am series/<topic>/*.patch' takes it.
COVER=0000-cover-letter.txt

identity() {
	GIT_AUTHOR_NAME=$NAME GIT_AUTHOR_EMAIL=$EMAIL \
	GIT_COMMITTER_NAME=$NAME GIT_COMMITTER_EMAIL=$EMAIL \
	GIT_AUTHOR_DATE=$EPOCH GIT_COMMITTER_DATE=$EPOCH "$@"
}

# The topics of a base, in order; what a topic needs of them, in order, itself last.
topics() { # BASE
	[ ! -f "$TOP/series/$1/order" ] || sed 's/#.*//' "$TOP/series/$1/order" | awk 'NF { print $1 }'
}
with_needs() { # BASE TOPIC...
	sed 's/#.*//' "$TOP/series/$1/order" | awk -v want="${*:2}" '
		NF { n++; name[n] = $1; for (i = 2; i <= NF; i++) needs[$1] = needs[$1] " " $i }
		function mark(t, w, i, k) { if (on[t]++) return; k = split(needs[t], w, " "); for (i = 1; i <= k; i++) mark(w[i]) }
		END { k = split(want, w, " "); for (i = 1; i <= k; i++) mark(w[i])
		      for (i = 1; i <= n; i++) if (name[i] in on) print name[i] }'
}

# What of series/ a tree is made from.
series_key() { # BASE TOPIC...
	local t
	{ cat "$TOP/base/$1" "$BUILD/base-$1" 2>/dev/null || true
	  for t in "${@:2}"; do
		echo "$t"
		cat "$TOP/series/$1/$t"/* 2>/dev/null || true
	  done; } | sha256sum | cut -c1-16
}

# The version of a kernel tree, and the base whose series fits it: the newest that is
# not newer than the tree.
kernel_version() { # DIR
	awk -F' *= *' '/^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION) *=/ { v[$1] = $2 } /^NAME/ { exit }
		END { printf "%d.%d.%d%s\n", v["VERSION"], v["PATCHLEVEL"], v["SUBLEVEL"], v["EXTRAVERSION"] }' "$1/Makefile"
}
own_base() {
	local v b fit=''
	v=$(kernel_version "$KERNEL")
	while read -r b; do
		[ "$(printf '%s\n' "${b#linux-}" "$v" | sort -V | head -n1)" != "${b#linux-}" ] || fit=$b
	done < <(cd "$TOP/series" && printf '%s\n' linux-* | sort -V)
	[ -n "$fit" ] || die "KERNEL=$KERNEL is version $v; the topics are for 7.1 and newer"
	echo "$fit"
}
# The topics to apply to it: those of SERIES and what they need, or all, without those that
# it has with a - before them.
own_topics() {
	local b t want=() without=(-x -e '')
	b=$(own_base) || exit
	[ "${SERIES:-}" != none ] || return 0
	for t in ${SERIES:-}; do
		topics "$b" | grep -qxF -e "${t#-}" ||
			die "SERIES: no topic '${t#-}' for $b; there are: $(topics "$b" | xargs), or none"
		case $t in
		-*) without+=(-e "${t#-}") ;;
		*) want+=("$t") ;;
		esac
	done
	[ ${#want[@]} -gt 0 ] || mapfile -t want < <(topics "$b")
	with_needs "$b" "${want[@]}" | grep -vF "${without[@]}" || true
}

# topic_commits TREE: "TOPIC COVER-COMMIT END-COMMIT" for each topic. A cover
# letter is an empty commit with the trailer 'Topic:'; its topic ends before
# the next one.
topic_commits() {
	git -C "$1" log --reverse --format='%H %T %P' base..HEAD | {
		topic='' start='' last='' ptree=$(git -C "$1" rev-parse 'base^{tree}')
		while read -r c tree _ rest; do
			[ -z "$rest" ] || die "$1: commit $c is a merge; topics are linear"
			name=$(git -C "$1" log -1 --format='%(trailers:key=Topic,valueonly)' "$c" | xargs)
			if [ "$tree" = "$ptree" ] && [ -n "$name" ]; then
				[ -z "$topic" ] || echo "$topic $start $last"
				topic=$name start=$c
			elif [ -z "$topic" ]; then
				die "$1: commit ${c:0:12} comes before the first cover letter; see Documentation/topics.md"
			fi
			last=$c ptree=$tree
		done
		[ -z "$topic" ] || echo "$topic $start $last"
	}
}

# export_topics TREE BASE DIR: write every topic of the tree as mails.
export_topics() {
	local tree=$1 base=$2 dir=$3 topic start end n d list
	list=$(topic_commits "$tree")
	[ "$(echo "$list" | cut -d' ' -f1 | sort)" = "$(topics "$base" | sort)" ] ||
		die "the topics in $tree ($(echo "$list" | cut -d' ' -f1 | xargs)) are not those of series/$base/order ($(topics "$base" | xargs))"
	[ -n "$list" ] || return 0
	while read -r topic start end; do
		d=$dir/$topic
		mkdir -p "$d"
		n=$(git -C "$tree" rev-list --count "$start..$end")
		git -C "$tree" -c format.pretty=email format-patch -q -n -M --zero-commit \
			--no-signature --no-base --no-notes --abbrev=12 --stat=72 -o "$d" "$start..$end"
		{ echo "From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001"
		  git -C "$tree" log -1 --format="From: %an <%ae>%nDate: %aD%nSubject: [PATCH 0/$n] %s%n" "$start"
		  git -C "$tree" log -1 --format=%b "$start" | sed '/^Topic: /d' | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
		  echo "---"
		  git -C "$tree" shortlog -w72,2,4 --no-merges "$start..$end"
		  git -C "$tree" diff -M --stat=72 --summary "$start..$end"
		} >"$d/$COVER"
	done <<<"$list"
}

# The C files of the kernel that the topics of a tree change, as they are now.
changed_code() { # TREE
	git -C "$1" diff --name-only --no-renames --diff-filter=d base -- '*.[ch]' ':!tools' ':!samples' ':!scripts' ':!Documentation'
}

# unexported TREE: true, and why, if it holds what series/ does not. series-head
# is the commit that the last 'make tree' made or the last 'make export' wrote.
unexported() {
	local head
	head=$(cat "$1/.git/series-head" 2>/dev/null) || head=base
	if [ -n "$(git -C "$1" status --porcelain)" ]; then
		echo "uncommitted changes or new files"
	elif [ -n "$(git -C "$1" rev-list -n 1 --single-worktree --all --not "$head" base --glob='refs/before/*' --glob='refs/pinned/*')" ]; then
		echo "commits or a stash that were not exported"
	else
		return 1
	fi
}

# What a tree holds right now, uncommitted changes included.
content_key() { # TREE
	{ git -C "$1" rev-parse 'HEAD^{tree}'; git -C "$1" diff HEAD
	  ( cd "$1" && git ls-files -o --exclude-standard -z | xargs -0r sha256sum ); } | sha256sum | cut -c1-16
}

qemu_dir() {
	echo "$CACHE/qemu-$( { root_key; content_key "$BUILD/$QEMU"; cat "$TOP/scripts/build-qemu" "$TOP/guest/qemu"; } | sha256sum | cut -c1-16)"
}

# patch_commit TOPIC/NR: the commit of a patch in the tree of Linux.
patch_commit() {
	local topic start end list rev
	case $1 in
	*/[0-9]*) ;;
	*) die "AT=$1: must be <topic>/<number of a patch>" ;;
	esac
	list=$(topic_commits "$SRC")
	read -r topic start end < <(grep "^${1%/*} " <<<"$list") || true
	[ -n "${end:-}" ] || die "AT=$1: no topic '${1%/*}' in $LINUX; there are: $(cut -d' ' -f1 <<<"$list" | xargs)"
	rev=$(git -C "$SRC" rev-list --reverse "$start..$end" | sed -n "$((10#${1##*/}))p")
	[ -n "$rev" ] || die "AT=$1: $topic has $(git -C "$SRC" rev-list --count "$start..$end") patches"
	echo "$rev"
}

# scratch TREE COMMIT: SCRATCH becomes a worktree without files, in which git can apply
# and merge all the same: it takes what it needs from the index.
scratch() {
	SCRATCH=$(mktemp -d "$BUILD/scratch.XXXXXX")
	git -C "$1" worktree add -q -f --no-checkout --detach "$SCRATCH" "$2"
	git -C "$SCRATCH" read-tree "$2"
	git -C "$SCRATCH" ls-files -z | git -C "$SCRATCH" update-index -z --skip-worktree --stdin
}
unscratch() { # TREE
	rm -rf "$SCRATCH"
	git -C "$1" worktree prune
}

# cover_commit DIR BASE TOPIC: the cover letter of series/ as an empty commit.
cover_commit() (
	local from=$TOP/series/$2/$3/$COVER msg
	[ -f "$from" ] || { say "series/$2/$3 has no $COVER"; return 1; }
	msg=$(mktemp -d "$BUILD/cover.XXXXXX")
	trap 'rm -rf "$msg"' EXIT
	git mailinfo -b "$msg/body" "$msg/rest" <"$from" >"$msg/head"
	{ sed -n 's/^Subject: //p' "$msg/head"; echo
	  cat "$msg/body"; echo; echo "Topic: $3"; } >"$msg/cover"
	# Commits that are older than their parents confuse git rev-list.
	GIT_AUTHOR_DATE=$(sed -n 's/^Date: //p' "$msg/head") GIT_COMMITTER_DATE=$EPOCH \
	GIT_AUTHOR_NAME=$NAME GIT_AUTHOR_EMAIL=$EMAIL GIT_COMMITTER_NAME=$NAME GIT_COMMITTER_EMAIL=$EMAIL \
		git -C "$1" commit -q --allow-empty --cleanup=verbatim -F "$msg/cover"
)
# am DIR [option...] PATCH...: git am with the identity of the trees.
am() {
	GIT_COMMITTER_NAME=$NAME GIT_COMMITTER_EMAIL=$EMAIL GIT_COMMITTER_DATE=$EPOCH git -C "$1" am -q "${@:2}"
}
# am_stopped DIR PATCH...: the one of them that 'git am' stopped at.
am_stopped() {
	local next
	next=$(cat "$(git -C "$1" rev-parse --path-format=absolute --git-path rebase-apply/next)")
	echo "${@:next+1:1}"
}

# worktree TREE DIR COMMIT: DIR is a worktree of TREE, at COMMIT. A new one gets old
# dates, so that objects built from TREE are newer than what both have.
worktree() {
	if [ ! -d "$2" ]; then
		git -C "$1" worktree add -q -f --detach "$2" "$3"
		find "$2" -type f -exec touch -hd "$EPOCH" {} +
		git -C "$2" update-index -q --refresh
	fi
	git -C "$2" checkout -q -f --detach "$3"
}

# seed SOURCE FROM TO: TO becomes a copy of the objects FROM, if these were built from a
# tree that git knows (the first word in 'built'). What SOURCE, a worktree as above, has
# other than that tree is newer than the copy then.
seed() {
	local tree
	tree=$(cut -d' ' -f1 "$2/built")
	rm -rf "$3.tmp"
	git -C "$1" cat-file -e "$tree" 2>/dev/null || return 0
	cp -a --reflink=auto "$2" "$3.tmp"
	rm -rf "$3.tmp/built"
	git -C "$1" diff --name-only -z --no-renames --diff-filter=d "$tree" |
		(cd "$1" && xargs -0r touch -c)
	mv "$3.tmp" "$3"
}
