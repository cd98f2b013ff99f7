# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# The emulated machine: the disk of this run, QEMU's command line, and its end. To be sourced after
# lib.sh.

# Memory of the machine, in MiB: dom0's, and the whole.
MACHINE_MEM=5120
DOM0_MEM=2048

# What every Linux here gets. Programs at ever new addresses would be translated ever anew; and
# checks of its own pages and ciphers are a tenth of a guest's boot. That a processor is busy for
# long is no fault of Linux's here: xl gives a guest's memory back page by page.
LINUX_OPTIONS="mitigations=off norandmaps net.ifnames=0 rodata=off cryptomgr.notests nosoftlockup"

# QEMU may deliver the interrupt that a VMRUN injects once more when something stops the processor
# soon afterwards, and the domain dies of it (README.md). So give it few reasons: code for all of a
# run (in MiB, the most it takes), for when it drops code all processors are stopped; a TSC that Xen
# trusts, or each rdtsc is an exit; and vcpus of dom0 that stay where they are. All three make it
# faster, too.
ACCEL=tcg,thread=multi,tb-size=2047
CPU=qemu64,+svm,+npt,+ssse3,+sse4.1,+sse4.2,+popcnt,+rdrand,+fsgsbase,+invtsc,x-force-features=on
DOM0_VCPUS="dom0_max_vcpus=2 dom0_vcpus_pin"

# The machine that counts: an instruction is a nanosecond of its clock, whatever the host does, and
# an idle machine goes on to its next timer. It has one processor: what others execute would be time
# of every vcpu on the first, and as it is each instruction is one vcpu's by Xen's own accounts.
# dom0's vcpus take turns on it; the third one is for the thread of a backend's vhost-net.
COUNTING_ACCEL=tcg,thread=single,tb-size=2047
COUNTING="-smp 1 -icount shift=0,sleep=off"

# has_packages BUILD: both versions of them are there (test/package/build).
has_packages()
{
	compgen -G "$1/package/*.deb" > /dev/null && compgen -G "$1/package-next/*.deb" > /dev/null
}

# machine_disk IMAGES BUILD DISK: what belongs to this run and not to the cached images: the tree's
# build, the scripts of the rig, the guests' kernel and user space.
machine_disk()
{
	local images=$1 build=$2 disk=$3 tree so

	tree=$(mktemp -d "$images/disk.XXXXXX")
	mkdir -p "$tree"/{guest,build/drivers,build/app,build/test,scripts,package/next}
	cp -r "$XEN_TEST_DIR/dom0" "$XEN_TEST_DIR/scenarios" "$tree/"
	cp "$images/vmlinux" "$images/dom0.cpio" "$images/rigtool" "$images/xenhostile" \
		"$XEN_TEST_DIR/guest/agent" "$tree/guest/"
	cp "$images/guest.cpio.gz" "$tree/guest/initramfs"
	[ ! -f "$images/l3fwd-power" ] || cp "$images/l3fwd-power" "$tree/build/test/"
	cp "$TREE/scripts/lib.sh" "$TREE/scripts/vif-xenvif" "$tree/scripts/"
	python3 -B "$TREE/test/docs/blocks.py" rig "$tree/docs"
	for so in "$build"/drivers/librte_*.so*; do
		[ ! -f "$so" ] || cp -a "$so" "$tree/build/drivers/"
	done
	cp "$build/app/vswitch/dpdk-xenvswitch" "$build/app/vswitchctl/xenvswitchctl" \
		"$tree/build/app/"
	cp "$TREE/test/package/checks.sh" "$tree/package/"
	! has_packages "$build" || {
		cp "$build"/package/*.deb "$tree/package/"
		cp "$build"/package-next/*.deb "$tree/package/next/"
		rm -f "$tree"/package/{,next/}*-dbgsym_*
	}
	rm -f "$disk"
	PATH=$PATH:/usr/sbin:/sbin mke2fs -q -t ext4 -O ^has_journal -d "$tree" "$disk" 256M \
		> /dev/null
	rm -rf "$tree"
}

# What QEMU is started by.
BEFORE_QEMU=()

# machine_exec KIND IMAGES DISK RESULTS DOM0_OPTIONS QEMU_OPTION...: KIND is pv or pvh (of dom0),
# icount (a PV dom0 of the machine that counts), or systemd (a PV dom0 with that as its init).
# Runs QEMU in the foreground of the caller, who gives the serial ports in QEMU_OPTION. The
# namespaces of the disk: 1 dom0's root, 2 this run's disk, 3 for results, 4 a second root for a
# driver domain. QEMU runs in IMAGES, where all its files are, and names them from there: spaces and
# commas in its options mean something.
machine_exec()
{
	local kind=$1 images=$2 disk=${3#"$2/"} results=${4#"$2/"} options=$5
	local xen="dom0_mem=${DOM0_MEM}M,max:${DOM0_MEM}M $DOM0_VCPUS com1=115200,8n1 console=com1"
	local linux="console=hvc0 rig.root=/dev/ns1 rig.disk=/dev/ns2 $LINUX_OPTIONS"
	local hw=() processors=(-accel "$ACCEL" -smp 3)

	xen="$xen loglvl=all guest_loglvl=all conring_size=512k"
	if [ "$kind" = pvh ]; then
		xen="$xen dom0=pvh"
		# shellcheck disable=SC2054 # the comma is QEMU's
		hw=(-device amd-iommu,intremap=on)
	elif [ "$kind" = icount ]; then
		# shellcheck disable=SC2206 # options
		processors=(-accel "$COUNTING_ACCEL" $COUNTING)
		xen=${xen/dom0_max_vcpus=2/dom0_max_vcpus=3}
	elif [ "$kind" = systemd ]; then
		linux+=" rig.systemd systemd.getty_auto=no"
	fi
	shift 5
	cd "$images" || return
	exec "${BEFORE_QEMU[@]}" qemu-system-x86_64 -M q35 "${processors[@]}" \
		-m "$MACHINE_MEM" -cpu "$CPU" -display none -no-reboot -nodefaults -net none \
		-kernel xen.elf -append "$xen" \
		-initrd "vmlinuz $linux $options,dom0.cpio" \
		"${hw[@]}" \
		-device nvme,id=nvme0,serial=rig \
		-drive "file=dom0.img,if=none,id=root,format=raw,snapshot=on" \
		-device nvme-ns,drive=root,bus=nvme0,nsid=1 \
		-drive "file=$disk,if=none,id=disk,format=raw,readonly=on" \
		-device nvme-ns,drive=disk,bus=nvme0,nsid=2 \
		-drive "file=dom0.img,if=none,id=second,format=raw,snapshot=on" \
		-device nvme-ns,drive=second,bus=nvme0,nsid=4 \
		-drive "file=$results,if=none,id=results,format=raw" \
		-device nvme-ns,drive=results,bus=nvme0,nsid=3 \
		"$@"
}
