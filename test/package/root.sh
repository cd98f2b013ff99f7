# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
# shellcheck shell=bash
#
# A fresh Debian, that of this system, in a folder that is gone with the test. Source it after the
# smoke tests' lib.sh.

. "$TREE/scripts/debian.sh"

# Not below /run, which it has a part in.
ROOT=/mnt
# What is kept for the next run.
ROOT_CACHE=$BUILD/package-root

# What the root is made of: it is made again when that has changed.
root_key()
{
	{
		apt_sources
		apt-cache policy base-files libc6 apt dpkg
		declare -f root_make
	} 2>/dev/null | sha256sum | cut -c1-16
}

root_make()
{
	local base=$ROOT_CACHE/base name mirror
	name=$(os_release VERSION_CODENAME)
	mirror=$(debian_mirror)
	[ -n "$mirror" ] || die "no mirror of Debian's $name is named in /etc/apt"
	rm -rf "$base"
	mkdir -p "$base" "$ROOT_CACHE/archives/partial"
	# Below a plain name: debootstrap hands its target's to a shell.
	mount --bind "$base" /mnt
	debootstrap --variant=minbase "$name" /mnt "$mirror" >&2 || die "debootstrap failed"
	apt_sources >/mnt/etc/apt/sources.list
	apt_settings >/mnt/etc/apt/apt.conf.d/90proxy
	# Packages that are there are not fetched again.
	echo 'Binary::apt::APT::Keep-Downloaded-Packages "true";' >/mnt/etc/apt/apt.conf.d/90keep
	rm -f /mnt/var/cache/apt/archives/*.deb
	umount /mnt
}

# root_start: a copy of it, with this machine's /dev, /proc, /run and /sys, and the stand-in
# hypervisor where it is.
root_start()
{
	local key dir
	key=$(root_key)
	mkdir -p "$ROOT_CACHE"
	if [ "$(cat "$ROOT_CACHE/key" 2>/dev/null)" != "$key" ]; then
		info "making a fresh Debian $(os_release VERSION_CODENAME), once"
		rm -f "$ROOT_CACHE/key"
		root_make >"$RUN/debootstrap.log" 2>&1
		echo "$key" >"$ROOT_CACHE/key"
	fi
	mount -t tmpfs -o mode=755 xenvif "$ROOT"
	cp -a "$ROOT_CACHE/base/." "$ROOT"
	cp /etc/resolv.conf "$ROOT/etc/"
	# Where other packages ask for systemd, its own is out of the way.
	in_root dpkg-divert --quiet --local --rename --add /usr/bin/systemctl
	install "$TREE/test/package/systemctl" "$ROOT/usr/bin/systemctl"
	mkdir -p /run/systemd/system "$ROOT$BUILD/test/xensim" "$ROOT/packages"
	for dir in /dev /proc /run /sys "$BUILD/test/xensim"; do
		mount --rbind "$dir" "$ROOT$dir"
	done
	mount --bind "$ROOT_CACHE/archives" "$ROOT/var/cache/apt/archives"
	in_root apt-get update -q >&2 ||
		info "the mirror does not answer; going on with what is there"
}

root_end()
{
	umount --recursive --lazy "$ROOT"
}

# in_root COMMAND ARG...: in the place of a shell of that Debian.
in_root()
{
	chroot "$ROOT" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		LC_ALL=C.UTF-8 HOME=/root DEBIAN_FRONTEND=noninteractive "$@" </dev/null
}
