#!/usr/bin/env bash
# make send, against a mail server of its own: what arrives, and what is refused. Most of it
# with a kernel of a few files. No guest.
. "$(dirname "$0")/lib.sh"

"$TOP/scripts/host-tools" send-email
[ -d "$BUILD/linux-7.3" ] || "$TOP/scripts/tree" linux-7.3
repo=$TMP/repo cache=$TMP/cache/dmabuf-series tree=$TMP/repo/build/linux-7.3
mkdir -p "$repo" "$cache/base" "$TMP/kernel" "$TMP/home" "$TMP/nobody" "$TMP/sink"
git -C "$TOP" ls-files -co --exclude-standard -z | sort -zu | tar -C "$TOP" --null -T - -cf - | tar -C "$repo" -xf -
ln -s "$ROOT" "$cache/"
for f in "$CACHE"/base/*; do ln -s "$f" "$cache/base/"; done

# A mail server: what it gets goes to DIR/<number>, to whom to DIR/<number>.to. It knows nobody
# called 'refused', and takes no more mails than the number in DIR/limit says.
cat >"$TMP/sink.py" <<'P'
import os, socketserver
class Session(socketserver.StreamRequestHandler):
    n = 0
    def handle(self):
        to = []
        self.say('220 sink')
        for line in self.rfile:
            verb = line.split()[0].upper() if line.split() else b''
            if verb == b'RCPT' and b'refused' in line:
                self.say('550 nobody here')
                continue
            if verb == b'MAIL' and os.path.exists('/out/limit') and Session.n >= int(open('/out/limit').read()):
                self.say('452 too many')
                continue
            if verb == b'MAIL':
                to = []
            elif verb == b'RCPT':
                to.append(line.split(b'<')[1].split(b'>')[0])
            elif verb == b'DATA':
                self.say('354 go on')
                mail = []
                for line in self.rfile:
                    if line == b'.\r\n':
                        break
                    mail.append((line[1:] if line.startswith(b'.') else line).replace(b'\r\n', b'\n'))
                Session.n += 1
                open(f'/out/{Session.n:03}.to', 'wb').write(b'\n'.join(to))
                open(f'/out/{Session.n:03}', 'wb').write(b''.join(mail))
            self.say('221 bye' if verb == b'QUIT' else '250 ok')
            if verb == b'QUIT':
                break
    def say(self, s):
        self.wfile.write(s.encode() + b'\r\n')
with socketserver.TCPServer(('127.0.0.1', 0), Session) as server:
    with open('/out/port.tmp', 'w') as f:
        f.write(str(server.server_address[1]))
    os.rename('/out/port.tmp', '/out/port')
    server.serve_forever()
P
sandbox --bind "$TMP/sink" /out --ro-bind "$TMP/sink.py" /tmp/sink.py -- python3 /tmp/sink.py &
sink=$!
trap 'kill $sink 2>/dev/null; rm -rf "$TMP"' EXIT
for _ in $(seq 100); do [ ! -e "$TMP/sink/port" ] || break; sleep 0.1; done
cat >"$TMP/home/.gitconfig" <<C
[user]
	name = Zoë Söder
	email = zoe@sender.example
[sendemail]
	smtpServer = 127.0.0.1
	smtpServerPort = $(cat "$TMP/sink/port")
	to = not-asked-for@lists.example
C
arrived() { find "$TMP/sink" -name '[0-9][0-9][0-9]' | wc -l; }
send() { env HOME="$TMP/home" XDG_CONFIG_HOME="$TMP/nobody" XDG_CACHE_HOME="$TMP/cache" TARBALLS="$TMP" GIT_CONFIG_SYSTEM=/dev/null "$@" scripts/send; }
other() { env XDG_CACHE_HOME="$TMP/cache" TARBALLS="$TMP" "$@"; }

# A base with the heaps and what the two scripts need, and topics that change comments in it.
git -C "$BUILD/linux-7.3" archive base COPYING CREDITS Kbuild Kconfig Makefile README MAINTAINERS \
	scripts/{get_maintainer.pl,checkpatch.pl,spelling.txt,const_structs.checkpatch} drivers/dma-buf \
	Documentation/index.rst {fs,init,ipc,kernel,lib}/Makefile include/linux/dma-heap.h arch/Kconfig | tar -C "$TMP/kernel" -xf -
tar -C "$TMP" -cJf "$TMP/kernel.tar.xz" kernel
cd "$repo"
git init -q
rm -rf series/linux-*/*
echo "9.9.1 src:none=1 kernel.tar.xz:$(sha256sum <"$TMP/kernel.tar.xz" | cut -d' ' -f1)" >base/linux-7.3
: >series/linux-7.3/order
: >series/linux-7.1/order
t() { git -C "$tree" "$@"; }
topic() { t commit -q --allow-empty -m "$2" -m "${3:-Why this is done.}" -m "Topic: $1"; }
patch() { # FILE SED-COMMAND SUBJECT BODY...
	local m=() x
	sed -i "$2" "$tree/$1"
	for x in "${@:3}"; do m+=(-m "$x"); done
	t commit -q -a "${m[@]}"
}
heap=drivers/dma-buf/heaps/system_heap.c
is "a small base" other scripts/tree linux-7.3
topic first 'dma-buf: heaps: Say what there is'
patch $heap '3s/ \* .*/ * DMABUF System heap/' 'dma-buf: heaps: system: Say less' 'The word adds nothing.'
topic second 'dma-buf: heaps: Größer, and with a subject so long that a mail has it on two lines' 'Why: für alle.'
patch $heap '3s/ \* .*/ * DMABUF system heap/' 'dma-buf: heaps: system: Write in lower case' 'It is no name.' \
	$'Fixes: ? ("dma-buf: heaps: Add it")\nCc: <stable@vger.kernel.org> # 9.1+'
GIT_AUTHOR_NAME='Jürgen Other' GIT_AUTHOR_EMAIL=other@other.example \
	patch drivers/dma-buf/sync_file.c '3s/^ \*.*/ * Größer, für alle./' 'dma-buf: sync_file: Größer' 'It says more.' \
	'Signed-off-by: Jürgen Other <other@other.example>'
topic hole 'dma-buf: heaps: Close a hole'
patch $heap '3s/ \* .*/ * DMABUF system heap, closed/' 'dma-buf: heaps: system: Close a hole' 'It was open.'
topic untidy 'dma-buf: heaps: Be untidy'
patch $heap '3s/ \* .*/ * DMABUF system heap, recieved/' 'dma-buf: heaps: system: Be untidy' 'It happens.'
t commit -q --allow-empty -m 'fixup! dma-buf: heaps: system: Say less'
printf 'first\nsecond first\nhole first second\n#security hole\nuntidy first second hole\n' >series/linux-7.3/order
expect "export of a fixup that was not squashed" 1 "is a fixup! .*git -C build/linux-7.3 -c sequence.editor=: rebase -i --autosquash base" \
	other FORCE=1 scripts/export linux-7.3
t reset -q --hard HEAD^
is "its topics" other FORCE=1 scripts/export linux-7.3
git init -q "$TMP/am"

# A clone with history. The subject is in other commits' messages, too.
mkdir "$TMP/clone"
c() { git -C "$TMP/clone" -c user.name=x -c user.email=x@localhost "$@"; }
c init -q
c commit -q --allow-empty -m 'dma-buf: heaps: Add it'
c commit -q --allow-empty -m 'Revert "dma-buf: heaps: Add it"' -m 'dma-buf: heaps: Add it'
fixed=$(c log -1 --abbrev=12 --format=%h HEAD^)
ln -s "$TMP/clone" "$TMP/home/clone"

expect "unknown topic" 1 "TOPIC=nonsense: no such topic for linux-7.3; there are: first second hole untidy qemu" send TOPIC=nonsense SEND=1
expect "no topic" 1 "TOPIC=: no such topic" send SEND=1
expect "no identity" 1 "git config --global user.name" send HOME="$TMP/nobody" TOPIC=second SEND=1 GIT="$TMP/clone"
expect "VERSION that is no number" 1 "VERSION=v2: must be a number" send TOPIC=second VERSION=v2 SEND=1
expect "TO that is no address" 1 "TO=me: not an address" send TOPIC=second TO=me SEND=1 GIT="$TMP/clone"
expect "VERSION=2 without a changelog" 1 "what changed since v1.*CHANGELOG=<file>" send TOPIC=second VERSION=2 SEND=1 GIT="$TMP/clone"
mkdir "$TMP/exec"
for f in "$(git --exec-path)"/*; do case $f in *send-email) ;; *) ln -s "$f" "$TMP/exec/" ;; esac; done
expect "V=2 is the second version, too" 1 "VERSION=2: what changed since v1" send TOPIC=second V=2 SEND=1 GIT="$TMP/clone"
expect "no git send-email" 1 "install the package git-email" send GIT_EXEC_PATH="$TMP/exec" TOPIC=second SEND=1 GIT="$TMP/clone"
mv series/linux-7.3/second/0000-cover-letter.txt "$TMP/cover"
expect "no cover letter" 1 "series/linux-7.3/second has no cover letter" send TOPIC=second SEND=1 GIT="$TMP/clone"
mv "$TMP/cover" series/linux-7.3/second/0000-cover-letter.txt
cp series/linux-7.3/second/0000-cover-letter.txt "$TMP/cover"
sed -i '0,/^---$/s//  vmap   878374  78084\n\n&/' series/linux-7.3/second/0000-cover-letter.txt
expect "a figure that is from no results" 1 "^error: nothing was sent: .*/second/0000-.*: figures that are from no results: vmap" \
	send TOPIC=second SEND=1 GIT="$TMP/clone"
mv "$TMP/cover" series/linux-7.3/second/0000-cover-letter.txt
expect "Fixes tag, without a clone" 1 'nothing was sent: unresolved: Fixes: \? \("dma-buf: heaps: Add it"\): 0 such commits' send TOPIC=second SEND=1
expect "what checkpatch finds" 1 "TYPO_SPELLING|may be misspelled" send TOPIC=untidy SECURITY=yes SEND=1 GIT="$TMP/clone"
echo >>"$tree/Makefile"
expect "work that was not committed" 1 "build/linux-7.3 holds work: uncommitted changes" send TOPIC=second SEND=1 GIT="$TMP/clone"
t commit -qam 'Mine'
expect "work that was not exported" 1 "build/linux-7.3 holds work: commits or a stash" send TOPIC=second SEND=1 GIT="$TMP/clone"
cp series/linux-7.3/first/0001-* "$TMP/p"
sed -i 's/The word adds nothing/Changed/' series/linux-7.3/first/0001-*
expect "a tree that is not from series/" 1 "build/linux-7.3 is not from series/ as it is now, and it holds work" send TOPIC=second SEND=1 GIT="$TMP/clone"
cp "$TMP/p" series/linux-7.3/first/0001-*
t reset -q --hard HEAD^
mv .git "$TMP/dotgit"
expect "no repository to keep what was sent" 1 "is no git repository, or not yours" send TOPIC=second SEND=1 GIT="$TMP/clone"
mv "$TMP/dotgit" .git
expect "a security fix" 1 "nothing was sent: SEND=1 needs SECURITY=yes" send TOPIC=hole SEND=1
is "that is said first of all" sh -c 'head -n1 "$1" | grep "^SECURITY: hole .*security@kernel.org"' sh "$TMP/out"
expect "a security fix, dry run" 0 "To: security@kernel.org, Sumit Semwal" send TOPIC=hole
private=$(sed -n 's/.* mails go out with: //p' "$TMP/out")
in_private() { env HOME="$TMP/home" XDG_CONFIG_HOME="$TMP/nobody" bash -c "$private --dry-run"; }
expect "a security fix: how to mail it in private" 0 "^RCPT TO:<security@kernel.org>" in_private
is "a security fix: both mails" [ "$(grep -c '^Subject: ' "$TMP/out")" = 2 ]
isnt "a security fix: no list" grep -r 'vger.kernel.org\|freedesktop.org' build/send/hole
expect "a security fix, made public" 0 "Cc: .*linux-kernel@vger.kernel.org" send TOPIC=hole SECURITY=yes
expect "what needs a security fix" 1 "nothing was sent: SEND=1 needs SECURITY=yes" send TOPIC=untidy SEND=1 GIT="$TMP/clone"
is "what it needs is said first of all" sh -c 'head -n1 "$1" | grep "^SECURITY: untidy needs hole"' sh "$TMP/out"
expect "a mail server that refuses" 1 "nobody here" send TOPIC=second SEND=1 TO=refused@x.example GIT="$TMP/clone"
is "it says so" grep "error: git send-email failed; nothing was sent" "$TMP/out"
is "nothing of that is kept as sent" [ -z "$(git tag)" ]
expect "dry run" 0 "nothing was sent. SEND=1 makes these 3 mails anew" send TOPIC=second SEND=0
is "dry run: a Fixes tag that is not resolved" grep '^unresolved: Fixes: ? ("dma-buf: heaps: Add it")' "$TMP/out"
# shellcheck disable=SC2088
expect "a clone below HOME" 0 "nothing was sent. SEND=1" send TOPIC=second GIT='~/clone'
is "a clone below HOME: the Fixes tag" grep -rF "Fixes: $fixed (" build/send/second
is "a clone without the release" grep "^no base-commit: there is no tag v9.9.1 in GIT=$TMP/clone" "$TMP/out"
c fetch -q --no-tags "$tree" refs/tags/base
c tag v9.9.1 FETCH_HEAD
expect "a clone with the release" 0 "nothing was sent. SEND=1" send TOPIC=hole SECURITY=yes GIT="$TMP/clone"
is "the cover letter names its commit, and what comes before" diff <(printf 'Based on v9.9.1.\n\nbase-commit: %s\n' "$(c rev-parse v9.9.1)"
	cat series/linux-7.3/{first,second}/*.patch | git patch-id --stable | sed 's/ .*//; s/^/prerequisite-patch-id: /'; echo) \
	<(sed -n '/^Based/,/^Zoë/{/^Zoë/!p}' build/send/hole/v1/0000-cover-letter.patch)
c read-tree FETCH_HEAD
c update-index --cacheinfo "100644,$(c hash-object -w --stdin <<<x),$heap"
c tag -f v9.9.1 "$(c commit-tree -m x "$(c write-tree)")" >/dev/null
expect "a clone with another release of that name" 0 "^no base-commit: v9.9.1 in GIT=$TMP/clone is not build/linux-7.3 in: $heap$" \
	send TOPIC=second GIT="$TMP/clone"
isnt "it is not named as the base" grep -r base-commit build/send/second
c read-tree --empty
is "none of these sent a mail" [ "$(arrived)" = 0 ]

expect "sent" 0 "sent, and kept as the tag sent/second/v1" send TOPIC=second SEND=1 TO='"Größer, Inc" <a@x.example>, b@x.example' \
	CC='"Last, First" <c@x.example>' GIT="$TMP/clone"
is "all arrived" [ "$(arrived)" = 3 ]
# What to look at in mails 001 to 003, by name.
cat >"$TMP/mails.py" <<'P'
import sys, glob, email, email.policy, email.utils
first = int(sys.argv[2])
files = [f'/in/{n:03}' for n in range(first, first + 3)]
raw = [open(f, 'rb').read() for f in files]
mails = [email.message_from_bytes(r, policy=email.policy.default) for r in raw]
cover, patches = mails[0], mails[1:]
prefix = 'PATCH' if first == 1 else 'PATCH v2'
me = 'Zoë Söder'
def addresses(m, *names):
    return [a for _, a in email.utils.getaddresses([str(v) for n in names for v in m.get_all(n, [])])]
def subjects():
    return [m['Subject'] for m in mails] == [f'[{prefix} 0/2] dma-buf: heaps: Größer, and with a subject so long that a mail has it on two lines',
        f'[{prefix} 1/2] dma-buf: heaps: system: Write in lower case', f'[{prefix} 2/2] dma-buf: sync_file: Größer']
def headers():
    return all(r.split(b'\n\n')[0].isascii() and f'\nSubject: [{prefix} '.encode() in r and not m.defects and m.get_content_charset() == 'utf-8' for r, m in zip(raw, mails))
def thread():
    return len({m['Message-ID'] for m in mails}) == 3 and all(m['Message-ID'] for m in mails) and cover['In-Reply-To'] is None and \
        all(m['In-Reply-To'] == cover['Message-ID'] == m['References'] for m in patches)
def sender():
    return all(m['From'].addresses[0].display_name == me and addresses(m, 'From') == ['zoe@sender.example'] for m in mails)
def names():
    return {'Größer, Inc', 'Christian König', 'T.J. Mercier'} <= {a.display_name for a in cover['To'].addresses} and cover['Cc'].addresses[0].display_name == 'Last, First'
def envelope():
    return all(sorted(open(f + '.to').read().split()) == sorted(set(addresses(m, 'To', 'Cc'))) for f, m in zip(files, mails))
def maintainers():
    a, b = patches
    return addresses(a, 'To')[:3] == ['a@x.example', 'b@x.example', 'sumit.semwal@linaro.org'] and addresses(a, 'Cc')[0] == 'c@x.example' and \
        'jstultz@google.com' in addresses(a, 'To') and 'linux-kernel@vger.kernel.org' in addresses(a, 'Cc') and \
        'jstultz@google.com' not in addresses(b, 'To', 'Cc') and 'sumit.semwal@linaro.org' in addresses(b, 'To')
def named_in_message():
    return [[a in addresses(m, 'Cc') for m in patches] for a in ('stable@vger.kernel.org', 'other@other.example')] == [[True, False], [False, True]]
def union():
    return set(addresses(cover, 'To', 'Cc')) == {a for m in patches for a in addresses(m, 'To', 'Cc')}
def sign_off():
    return all(m.get_content().split('\n---\n')[0].endswith(f'\nSigned-off-by: {me} <zoe@sender.example>') for m in patches)
def author():
    return patches[1].get_content().startswith('From: Jürgen Other <other@other.example>\n\n') and not patches[0].get_content().startswith('From')
def fixes():
    return f'\nFixes: {sys.argv[3]} ("dma-buf: heaps: Add it")\nCc: <stable@vger.kernel.org> # 9.1+\nSigned-off-by: ' in patches[0].get_content()
def letter():
    text, rest = cover.get_content().split('\n---\n')
    return 'Why: für alle.' in text and 'Topic' not in text and 'needs, in this order:\n- dma-buf: heaps: Say what there is\n' in rest and \
        'Based on v9.9.1.' in rest and f'{me} (1):\n' in rest and '2 files changed' in rest
def second_version():
    text, rest = cover.get_content().split('\n---\n')
    return rest.startswith(f'Changes since v1:\n\n- It is größer now.\n\nv1: https://lore.kernel.org/r/{sys.argv[3]}\n') and \
        'Range-diff against v1:\n1:  ' in rest and '+ * Noch größer, für alle.' in rest and ' = 1:  ' in rest and ' ! 2:  ' in rest
sys.exit(globals()[sys.argv[1]]() is not True)
P
mails() { sandbox --ro-bind "$TMP/sink" /in --ro-bind "$TMP/mails.py" /tmp/mails.py -- python3 /tmp/mails.py "$@"; }
for what in subjects headers thread sender names envelope maintainers named_in_message union sign_off author letter; do
	is "mails: ${what//_/ }" mails $what 1
done
is "mails: Fixes tag" mails fixes 1 "$fixed"
isnt "mails: nobody from the sender's configuration" grep -r not-asked-for "$TMP/sink"
applied() { # MAIL...
	git -C "$TMP/am" fetch -q --no-tags "$tree" refs/tags/first
	git -C "$TMP/am" checkout -q -f --detach FETCH_HEAD
	git -C "$TMP/am" -c user.name=x -c user.email=x@localhost am -q "$@"
	[ "$(git -C "$TMP/am" rev-parse 'HEAD^{tree}')" = "$(t rev-parse 'second^{tree}')" ]
}
is "what arrived gives the topic's tree" applied "$TMP/sink/002" "$TMP/sink/003"
is "what arrived is by whom it should be" [ "$(git -C "$TMP/am" log -2 --format=%an | xargs)" = "Jürgen Other Zoë Söder" ]
expect "sent already" 1 "nothing was sent: v1 of second was, before" send TOPIC=second SEND=1 GIT="$TMP/clone"
expect "a topic that needs what was sent" 0 "" send TOPIC=hole SECURITY=yes
id=$(sed -n 's/^Message-I[dD]: <\(.*\)>$/\1/p' "$TMP/sink/001")
is "it links to that" grep -F "  https://lore.kernel.org/r/$id" build/send/hole/v1/0000-cover-letter.patch

# The second version, after make clean. Its last patch differs.
t reset -q --hard second
patch drivers/dma-buf/sync_file.c '3s/^ \*.*/ * Noch größer, für alle./' x
t reset -q --soft HEAD^
t commit -q --amend --no-edit
printf 'first\nsecond first\n' >series/linux-7.3/order
rm -r series/linux-7.3/hole series/linux-7.3/untidy
t tag -d hole untidy >/dev/null
is "export of the second version" other FORCE=1 scripts/export linux-7.3
is "make clean" scripts/clean
echo '- It is größer now.' >"$TMP/changes"
expect "the second version" 0 "kept as the tag sent/second/v2" send TOPIC=second SEND=1 VERSION=2 CHANGELOG="$TMP/changes" GIT="$TMP/clone" TO=a@x.example
is "the second version arrived" [ "$(arrived)" = 6 ]
for what in subjects headers thread envelope union; do
	is "mails of the second version: $what" mails $what 4
done
is "mails of the second version: changelog, range-diff" mails second_version 4 "$id"
is "what arrived gives its tree" applied "$TMP/sink/005" "$TMP/sink/006"
echo 7 >"$TMP/sink/limit"
expect "a mail server that stops halfway" 1 "error: git send-email stopped. What it names as sent is out" \
	send TOPIC=second SEND=1 VERSION=3 CHANGELOG="$TMP/changes" GIT="$TMP/clone"
is "one was sent" grep '^Sent \[PATCH v3 0/2\]' "$TMP/out"
expect "the others are not sent twice" 1 "nothing was sent: v3 of second was, before" \
	send TOPIC=second SEND=1 VERSION=3 CHANGELOG="$TMP/changes" GIT="$TMP/clone"
git tag -d sent/second/v1 >/dev/null
expect "no record of the version before" 0 "^no range-diff: there is no tag sent/second/v1" send TOPIC=second VERSION=2 CHANGELOG="$TMP/changes"

expect "a topic of QEMU" 0 "Cc: qemu-devel@nongnu.org" send TOPIC=qemu-tcg-view
were_run testbed/send
done_testing
