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

# source_entries DIR: write deb-src twins of the system's own entries for this
# release, one-line and deb822, as DIR/system.list and DIR/system.sources.
source_entries()
{
	local suite file etc=${APT_ETC:-/etc/apt}
	local deb='^[[:space:]]*deb[[:space:]]+'
	local site='(\[[^]]*\][[:space:]]+)?[^[:space:]]+[[:space:]]+'
	# shellcheck disable=SC1091 # the system's
	suite="($(. /etc/os-release && echo "${VERSION_CODENAME:-}")|stable)"
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

# dpdk_source: print the path of the upstream tarball of the installed DPDK;
# fetch it into .cache/ by a private apt source entry when it is not there yet. To be
# called in a subshell.
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
		fetch_package "$tmp" "$version" || exit 1
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
	if ! (cd "$dir/source" && private_apt "$dir" source --download-only "dpdk=$version") \
		>>"$dir/log" 2>&1; then
		sed 's/^/  /' "$dir/log" >&2
		info "error: no source package dpdk $version to be had from the mirrors of" \
			"/etc/apt: the installed one may be outdated (apt-get update;" \
			"apt-get install libdpdk-dev), or give the driver headers by" \
			"\`scripts/setup -- -Ddpdk_sdk=DIR\`"
		return 1
	fi
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
