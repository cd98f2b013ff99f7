# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
# shellcheck shell=bash
#
# Debian's mirrors, for roots of other releases. Source it after lib.sh.

# Debian's own sources of this system, as one-line entries for the root file system's apt.
apt_sources()
{
	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets 'Created-By: Packages' \
		--format '$(ORIGIN)|deb $(REPO_URI) $(SUITE) $(CODENAME) $(COMPONENT)' |
		awk -F'|' '$1 == "Debian" { print $2 }' |
		awk '{ print $1, $2, $4, $5 }' | sort -u
}

# debian_mirror [security]: the mirror of this system's own release, or that of its security
# updates; nothing when apt has none, or no lists.
debian_mirror()
{
	apt_sources | awk -v security="${1:-}" '
		(security != "") == ($3 ~ /-security$/) { print $2; exit }'
}

# suite_sources SUITE: apt's entries for that release.
suite_sources()
{
	local mirror security
	mirror=$(debian_mirror)
	security=$(debian_mirror security)
	echo "deb $mirror $1 main"
	case $1 in
	sid | unstable | experimental) return ;;
	esac
	echo "deb $mirror $1-updates main"
	[ -z "$security" ] || echo "deb $security $1-security main"
}

# apt_settings: of this system's apt those that another needs to reach the same mirrors.
apt_settings()
{
	apt-config dump |
		grep -E '^Acquire::(https?::Proxy|Check-(Date|Valid-Until)|Retries) "' || :
}
