#!/usr/bin/env bash
# A 32-bit kernel in the guest: KUnit of vfio-pci and vmap_sgtable(), and mappings of
# BARs without ZONE_DEVICE and PCI_P2PDMA. Its user space is one program,
# guest/i386/init.c; vm.py judges the run.
. "$(dirname "$0")/lib.sh"

"$TOP/scripts/build-qemu" x86_64
qemu=$(cat "$BUILD/qemu-dir")
"$TOP/tests/link.sh" i386
obj=$BUILD/obj/$LINUX/link-i386 out=$BUILD/run/$LINUX/i386
rm -rf "$out"
mkdir -p "$out"
names=$TOP/tests/names/$LINUX/i386 judge=(--write-names /out/names.new)
if [ "$NAMES_OF_TESTS" != write ] && [ -f "$names" ]; then
	judge+=(--names /out/names)
	cp "$names" "$out/names"
fi

build() {
	ARCH=i386 kmake "$SRC" "$obj" bzImage
	# There is no 32-bit libc, but that of the kernel.
	sandbox --ro-bind "$SRC" /src --ro-bind "$obj" /obj --ro-bind "$TOP/guest" /in \
		--bind "$out" /out -- bash -o pipefail -ec '
		mkdir -p /tmp/fs/{proc,sys,dev}
		cd /tmp/fs
		gcc -m32 -Os -Wall -Wextra -Wno-unused-parameter -Werror -nostdlib -static \
			-fno-stack-protector -fno-asynchronous-unwind-tables -isystem /obj/usr/include \
			-include /src/tools/include/nolibc/nolibc.h -o init /in/i386/init.c
		find . | cpio --quiet -o -H newc -R 0:0 | gzip -n >/out/initrd'
}
stage "guest i386" build

# vmalloc: the whole of a large BAR is mapped into the kernel's 1 GB. Interrupts are not
# remapped on 32 bits, which VFIO has to be told. Instead of the device with a BAR2 of
# 1G there is one with memory in BAR0. 32-bit Linux takes no SMP of unknown AMD CPUs.
cmdline="console=ttyS0 tsc=nowatchdog no_timer_check panic=-1 oops=panic sysrq_always_enabled vmalloc=256M"
cmdline+=" intel_iommu=on vfio_iommu_type1.allow_unsafe_interrupts=1"
mapfile -t devices < <(sed 's/#.*//; /rp4/d' "$TOP/guest/devices" | xargs -n1)
sandbox --ro-bind "$qemu" /mnt --ro-bind "$obj" /obj --ro-bind "$TOP/guest" /in \
	--ro-bind "$TOP/scripts" /src --bind "$out" /out -- \
	python3 /src/vm.py --out /out --timeout "${TIMEOUT:-300}" --silence "${SILENCE:-120}" \
	"${judge[@]}" --expected-skips /in/expected-skips.i386 -- /mnt/qemu-system-x86_64 \
	-nodefaults -no-reboot -vga none -nic none -accel tcg,thread=multi \
	-machine q35,kernel-irqchip=split -cpu max,la57=off,vendor=GenuineIntel \
	-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off \
	-device intel-iommu,intremap=off,device-iotlb=on,caching-mode=on \
	-smp 2 -m 2G -kernel /obj/arch/x86/boot/bzImage -initrd /out/initrd \
	-append "$cmdline" "${devices[@]}" \
	-device pcie-root-port,id=rp5,chassis=5,slot=5 -device bochs-display,bus=rp5,romfile=
[ "$NAMES_OF_TESTS" != write ] || cp "$out/names.new" "$names"
