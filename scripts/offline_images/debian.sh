#!/usr/bin/env bash
# Make the image `debian:SUITE-slim` out of Debian packages, for machines without an image registry.
#
# In:      debian.sh SUITE LABEL, as root; packages come from the mirror in this machine's apt sources.
# Out:     the image, with the machine's own CA certificates in its store, so that pip, apt and Maven trust what the machine trusts.
# Like the official slim image it carries no documentation and keeps no package archives.
set -euo pipefail
suite=$1 label=$2

here=$(dirname "$0")
root=$(mktemp -d)/root
trap 'rm -rf "$(dirname "$root")"' EXIT

main() {
    keep_no_documentation
    debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" "$("$here/debian_mirror.sh")" >"$root.log" 2>&1 || {
        tail -n 20 "$root.log" >&2
        exit 1
    }
    trust_what_the_machine_trusts
    keep_no_archives
    tar --directory "$root" --numeric-owner --create . |
        docker import --change 'CMD ["bash"]' --change "LABEL $label" - "debian:$suite-slim" >/dev/null
}

keep_no_documentation() {
    mkdir -p "$root/etc/dpkg/dpkg.cfg.d"
    printf 'path-exclude /usr/share/%s/*\n' doc man info locale groff linda lintian >"$root/etc/dpkg/dpkg.cfg.d/docker"
    echo 'path-include /usr/share/doc/*/copyright' >>"$root/etc/dpkg/dpkg.cfg.d/docker"
}

trust_what_the_machine_trusts() {
    find /usr/local/share/ca-certificates -name '*.crt' -exec cp {} "$root/usr/local/share/ca-certificates/" \;
    chroot "$root" update-ca-certificates >/dev/null 2>&1
}

keep_no_archives() {
    echo 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };' \
        >"$root/etc/apt/apt.conf.d/docker-clean"
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/cache/apt/*.bin "$root"/var/lib/apt/lists/* \
        "$root"/var/log/*.log "$root"/debootstrap "$root"/tmp/* "$root"/etc/resolv.conf "$root"/etc/hostname
}

main
