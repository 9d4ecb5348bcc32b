#!/usr/bin/env bash
# Print the address of the Debian mirror that this machine's own apt sources name.
#
# In:      apt's sources, after `apt-get update`.
# Out:     one line on standard output, such as `http://mirror/debian/`.
# Refuses: a machine that is not Debian, or has no `main` component configured.
set -euo pipefail

# shellcheck source=/dev/null
codename=$(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_CODENAME") || {
    echo "this is not Debian: set up Docker Engine and the Compose plugin by your distribution's own way" >&2
    exit 1
}
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Release: $codename" 'Component: main')
mirror=${mirror%%$'\n'*}
[ -n "$mirror" ] || {
    echo "apt knows no \`main\` of $codename: run \`apt-get update\`, or add it to /etc/apt/sources.list" >&2
    exit 1
}
echo "$mirror"
