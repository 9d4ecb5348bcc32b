#!/usr/bin/env bash
# Give a bare Debian machine a running Docker engine with Compose v2 and buildx.
#
# In:      root on Debian bookworm or newer; packages come from the mirror in apt's own sources.
# Out:     `docker compose version`, `docker buildx version` and `docker info` answer. What is there already is left alone.
# Refuses: other systems, and users who are not root where something is missing.
# The plugins are Debian trixie's binaries, as bookworm packages neither; they are static enough to run on both.
set -euo pipefail
cd "$(dirname "$0")"

plugins=${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
log_file=${TMPDIR:-/tmp}/streaming-pipeline-dockerd.log

main() {
    local missing
    missing=$(missing_packages)
    [ -z "$missing" ] || install_packages $missing # several words
    docker compose version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1 || install_plugins
    docker info >/dev/null 2>&1 || start_engine
    say "Docker engine $(docker version --format '{{.Server.Version}}'), Compose $(docker compose version --short), $(docker buildx version | cut -d' ' -f2)"
}

# An engine from elsewhere is as good as Debian's, and the two do not go together.
missing_packages() {
    docker info >/dev/null 2>&1 || command -v dockerd >/dev/null || echo docker.io iptables ca-certificates
    command -v debootstrap >/dev/null || echo debootstrap xz-utils
    command -v pgrep >/dev/null || echo procps
}

say() { echo "install_engine: $*"; }

must_be_root() {
    [ "$(id -u)" = 0 ] || { say "$1 needs root: run \`sudo $0\`" >&2; exit 1; }
}

install_packages() {
    must_be_root "installing $*"
    say "installing $*"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# apt with its lists, cache and state of its own: the machine's sources stay as they are.
trixie_apt() {
    apt-get -qq -o Dir::Etc::SourceList="$work/trixie.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work" -o APT::Sandbox::User=root "$@"
}

install_plugins() {
    must_be_root "installing Compose"
    say "taking Compose and buildx from Debian trixie"
    apt-get update -qq
    echo "deb $(offline_images/debian_mirror.sh) trixie main" >"$work/trixie.list"
    mkdir -p "$work/lists/partial" "$work/archives/partial" "$plugins"
    trixie_apt update
    (cd "$work" && trixie_apt download docker-compose docker-buildx)
    for package in "$work"/*.deb; do dpkg-deb -x "$package" "$work/root"; done
    install -m 0755 "$(find "$work/root" -type f -name docker-compose -perm -u+x)" "$plugins/docker-compose"
    install -m 0755 "$(find "$work/root" -type f -name docker-buildx -perm -u+x)" "$plugins/docker-buildx"
}

start_engine() {
    must_be_root "starting the Docker engine"
    # Process ids left by an engine that was killed may be other processes by now: dockerd would not start, or signal them.
    pgrep -x dockerd >/dev/null || rm -f /var/run/docker.pid
    pgrep -x containerd >/dev/null || rm -f /var/run/docker/containerd/containerd.pid
    say "starting dockerd, log in $log_file"
    setsid nohup dockerd >"$log_file" 2>&1 </dev/null &
    for _ in $(seq 60); do
        docker info >/dev/null 2>&1 && return
        sleep 0.5
    done
    say "dockerd does not answer after 30 s; the end of $log_file:" >&2
    tail -n 20 "$log_file" >&2
    exit 1
}

main
