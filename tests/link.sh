#!/usr/bin/env bash
# The modular heaps and vfio-pci must link on architectures that no guest runs, and
# in configurations that no guest has: 32-bit and without PCI_P2PDMA (arm), without
# iommufd (arm, powerpc), with a driver that has its own mmap (powerpc). A small
# kernel with them is built for each of those given (arm s390 powerpc; i386 for
# tests/i386.sh, which also runs it), so that modpost sees what is exported there; then
# the layout of vfio's UAPI is checked.
. "$(dirname "$0")/lib.sh"

"$TOP/scripts/root"
"$TOP/scripts/tree" "$LINUX"
src=$SRC at=
objs=$BUILD/obj/$LINUX
if [ -n "${REV:-}" ]; then
	# As of a commit. Its objects are newer than the sources of the tree, where
	# make would take them for up to date: they stay apart.
	src=$TMP/src at=-at
	git -C "$SRC" worktree add -q --detach "$src" "$REV"
	trap 'git -C "$SRC" worktree remove --force "$src"; rm -rf "$TMP"' EXIT
fi
link() { # ARCH COMPILER MODULE...
	local arch=$1 cross=$2 obj=$objs/link-$1$at m
	shift 2
	mkdir -p "$obj"
	rm -f "${@/#/$obj/drivers/}"
	# shellcheck disable=SC2030,SC2031
	export ARCH=$arch CROSS=$cross
	cat "$TOP/tests/link/$arch" "$TOP/guest/config/$BASE" >"$obj/fragment"
	kconfig "$src" "$obj" "$obj/fragment"
	check_config "$obj/fragment" "$obj/.config"
	kmake "$src" "$obj" vmlinux modules
	for m; do
		[ -f "$obj/drivers/$m" ] || { say "no $m"; return 1; }
	done
}
# What user space compiles in is the same everywhere, above all for 32 and 64 bits.
uapi() { # ARCH COMPILER
	local obj=$objs/link-$1$at m32=()
	local header=tools/testing/selftests/vfio/vfio_pci_dmabuf_uapi.h
	# A commit may be before the test.
	[ -f "$src/$header" ] || [ -z "${REV:-}" ] || return 0
	[ "$1" != i386 ] || m32=(-m32)
	ARCH=$1 CROSS=$2 kmake "$src" "$obj" headers
	sandbox --ro-bind "$src" /src --ro-bind "$obj" /obj -- "$2gcc" "${m32[@]}" \
		-Wall -Werror -ffreestanding -isystem /obj/usr/include -I/src/tools/include \
		-fsyntax-only -x c "/src/$header"
}
try() {
	attempt stage "link: $1" link "$@"
	result $RC "modules link on $1"
	attempt stage "UAPI: $1" uapi "$@"
	result $RC "layout of the UAPI on $1"
}
heaps=dma-buf/heaps/system_heap.ko
vfio=(vfio/pci/vfio-pci-core.ko vfio/pci/vfio-pci.ko)
[ $# -gt 0 ] || set -- arm s390 powerpc
for a; do
	case $a in
	arm) try arm arm-linux-gnueabihf- $heaps dma-buf/heaps/cma_heap.ko "${vfio[@]}" ;;
	s390) try s390 s390x-linux-gnu- $heaps dma-buf/heaps/cma_heap.ko "${vfio[@]}" ;;
	powerpc) try powerpc powerpc64-linux-gnu- $heaps "${vfio[@]}" vfio/pci/nvgrace-gpu/nvgrace-gpu-vfio-pci.ko ;;
	i386) try i386 '' $heaps dma-buf/heaps/cma_heap.ko ;;
	*) die "no architecture '$a'" ;;
	esac
done
done_testing
