# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
# shellcheck shell=bash
#
# The source package of the installed DPDK. Source it after lib.sh.

# dpdk_version: the installed DPDK's version, as 22.11.11; nothing when there is none.
dpdk_version()
{
	pkg-config --modversion libdpdk 2>/dev/null || :
}

# dpdk_package_version: the version of the source package it was built from.
dpdk_package_version()
{
	# shellcheck disable=SC2016 # dpkg's own variable
	dpkg-query -W -f '${source:Version}' libdpdk-dev 2>/dev/null || :
}

# dpdk_plugin_folder: where the installed DPDK looks for drivers: .../dpdk/pmds-23.0.
dpdk_plugin_folder()
{
	pkg-config --cflags libdpdk |
		xargs "${CC:-cc}" -E -dM -include rte_build_config.h -x c /dev/null |
		sed -n 's/^#define RTE_EAL_PMD_PATH "\(.*\)"$/\1/p'
}

# dpdk_abi: the number of its ABI, of which that folder's name has the rest too: 23.
dpdk_abi()
{
	dpdk_plugin_folder | sed 's/.*pmds-//; s/[.].*//'
}

# source_entries DIR: write deb-src twins of the system's own entries for this
# release, one-line and deb822, as DIR/system.list and DIR/system.sources.
source_entries()
{
	local suite file etc=${APT_ETC:-/etc/apt}
	local deb='^[[:space:]]*deb[[:space:]]+'
	local site='(\[[^]]*\][[:space:]]+)?[^[:space:]]+[[:space:]]+'
	suite="($(os_release VERSION_CODENAME)|stable|testing|unstable|sid)"
	for file in "$etc/sources.list" "$etc"/sources.list.d/*.list; do
		[ ! -f "$file" ] || sed -nE \
			"s,$deb($site$suite([-/[:space:]].*)),deb-src \1,p" "$file"
	done >"$1/system.list"
	for file in "$etc"/sources.list.d/*.sources; do
		[ ! -f "$file" ] || awk -v suite="(^|\n)Suites:[^\n]*[ \t]$suite([-/ \t\n]|$)" '
			BEGIN { RS = ""; ORS = "\n\n" }
			$0 ~ suite && /(^|\n)Types:[^\n]*deb([ \t\n]|$)/ {
				sub(/Types:[^\n]*/, "Types: deb-src")
				print
			}' "$file"
	done >"$1/system.sources"
}

# private_apt DIR ARG...: apt-get with the entries, lists and caches of DIR alone.
private_apt()
{
	local dir=$1
	shift
	apt-get -qq -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$dir/parts" \
		-o Dir::State::lists="$dir/lists" -o Dir::Cache="$dir/cache" \
		-o Acquire::Languages=none -o APT::Sandbox::User=root "$@"
}

# Where a person puts what the mirror lacks.
DPDK_KEPT=/var/cache/xenvif

# kept_tarball VERSION: a release tarball of DPDK of the series that a package's version is of, the
# newest; nothing when there is none. Within a series what is taken from it stays as it is.
kept_tarball()
{
	local series
	series=$(sed -E 's/^([0-9]+\.[0-9]+).*/\1/' <<<"$1")
	find "$DPDK_KEPT" -maxdepth 1 -name "dpdk-$series*.tar.*" 2>/dev/null |
		grep -E "/dpdk-$series(\.[0-9]+)?\.tar\.[a-z0-9]+\$" | sort -V | tail -n 1 || :
}

# dpdk_source: print the path of the upstream tarball of the installed DPDK: that of the source
# package, which is fetched into .cache/ by a private apt source entry when it is not there yet, or
# one that is kept. To be called in a subshell.
dpdk_source()
{
	local version cache tmp tarball
	version=$(dpdk_package_version)
	[ -n "$version" ] || die "libdpdk is no Debian package here: give its driver headers by" \
		"\`scripts/setup -- -Ddpdk_sdk=DIR\`"
	cache=$TREE/.cache/dpdk-$version
	tarball=$(find "$cache" -name 'dpdk_*.orig.tar.*' ! -name '*.asc' 2>/dev/null || :)
	if [ -z "$tarball" ]; then
		info "fetching the source package dpdk $version"
		mkdir -p "$TREE/.cache"
		tmp=$(mktemp -d "$TREE/.cache/fetch.XXXXXX")
		on_exit rm -rf "$tmp"
		if ! fetch_package "$tmp" "$version"; then
			tarball=$(kept_tarball "$version")
			[ -n "$tarball" ] || no_source "$tmp" "$version"
			info "the mirrors have no source package dpdk $version: taking $tarball"
			printf '%s\n' "$tarball"
			return
		fi
		rm -rf "$cache"
		mv "$tmp/source" "$cache"
		tarball=$(find "$cache" -name 'dpdk_*.orig.tar.*' ! -name '*.asc')
	fi
	printf '%s\n' "$tarball"
}

# fetch_package DIR VERSION: download the source package into DIR/source.
fetch_package()
{
	local dir=$1 version=$2
	mkdir -p "$dir"/{parts,lists/partial,cache/archives/partial,source}
	source_entries "$dir/parts"
	if ! private_apt "$dir" update >"$dir/log" 2>&1; then
		info "not every source entry answered; going on with those that did"
	fi
	(cd "$dir/source" && private_apt "$dir" source --download-only "dpdk=$version") \
		>>"$dir/log" 2>&1
}

# no_source DIR VERSION: end with what can be done.
no_source()
{
	sed 's/^/  /' "$1/log" >&2
	die "no source package dpdk $2 to be had from the mirrors of /etc/apt: the installed one" \
		"may be outdated (apt-get update; apt-get install libdpdk-dev); or put DPDK's own" \
		"release tarball dpdk-$(sed -E 's/[-+~].*//' <<<"$2").tar.xz into $DPDK_KEPT, or" \
		"give the driver headers by \`scripts/setup -- -Ddpdk_sdk=DIR\`"
}

# dpdk_example NAME DIR: build one of DPDK's example programs as DIR/NAME, from the source of the
# installed version, in DIR/source.
dpdk_example()
{
	local tarball name=$1 dir=$2
	tarball=$(dpdk_source) || return 1
	mkdir -p "$dir/source" || return 1
	tar -xf "$tarball" -C "$dir/source" --wildcards --strip-components=1 \
		"*/examples/$name" '*/examples/common' || return 1
	make -C "$dir/source/examples/$name" shared >&2 &&
		cp "$dir/source/examples/$name/build/$name-shared" "$dir/$name"
}
