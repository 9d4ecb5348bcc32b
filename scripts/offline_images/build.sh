#!/usr/bin/env bash
# Build the images that a machine without an image registry cannot pull, under the names they have there.
#
# In:      a running engine; root and debootstrap for the Debian bases; Debian packages and Maven artefacts by the machine's own settings.
# Out:     debian:trixie-slim, debian:bookworm-slim, apache/kafka:4.1.2, cassandra:5.0.6, postgres:17.12.
# An image that is there stays when its recipe is unchanged, or when it is not ours (pulled from a registry): a second run takes a second.
set -euo pipefail
cd "$(dirname "$0")"

recipe_label=streaming-pipeline.recipe

main() {
    docker info >/dev/null 2>&1 || { say "no Docker engine answers: run scripts/install_engine.sh" >&2; exit 1; }
    # Two chains at once: each waits for the network about as long as it computes.
    build_chain trixie kafka apache/kafka:4.1.2 postgres postgres:17.12 &
    local trixie=$!
    build_chain bookworm cassandra cassandra:5.0.6
    wait "$trixie"
}

# build_chain SUITE (FOLDER IMAGE)...: the base, then each image on it.
build_chain() {
    local suite=$1 folder image
    shift
    ensure "debian:$suite-slim" "$(digest_of "$suite" debian.sh /usr/local/share/ca-certificates)" import_debian "$suite"
    while [ $# -gt 0 ]; do
        folder=$1 image=$2
        shift 2
        ensure "$image" "$(digest_of "$(docker image inspect -f '{{.Id}}' "debian:$suite-slim")" "$folder")" build_folder "$folder"
    done
}

# ensure IMAGE DIGEST COMMAND...: run COMMAND... IMAGE DIGEST unless the image is there with that digest, or is somebody else's.
ensure() {
    local image=$1 digest=$2 found
    shift 2
    if found=$(docker image inspect -f "{{index .Config.Labels \"$recipe_label\"}}" "$image" 2>/dev/null); then
        [ "$found" != "$digest" ] || { say "$image is there"; return; }
        [ -n "$found" ] || { say "$image is there, not built by this script: left alone"; return; }
    fi
    say "$image: building"
    local start=$SECONDS
    "$@" "$image" "$digest"
    say "$image: built in $((SECONDS - start)) s"
}

# digest_of WORD PATH...: one hash over the word and all files below the paths.
digest_of() {
    local word=$1
    shift
    { echo "$word"; find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum; } | sha256sum | cut -c1-16
}

import_debian() {
    local suite=$1 digest=$3
    [ "$(id -u)" = 0 ] || { say "debootstrap needs root: run \`sudo $0\`" >&2; exit 1; }
    bash debian.sh "$suite" "$recipe_label=$digest"
}

build_folder() {
    local folder=$1 image=$2 digest=$3 log
    log=$(mktemp)
    DOCKER_BUILDKIT=1 docker build --progress=plain --label "$recipe_label=$digest" --tag "$image" "$folder" >"$log" 2>&1 || {
        say "$image: the build failed:" >&2
        tail -n 40 "$log" >&2
        exit 1
    }
    rm -f "$log"
}

say() { echo "offline_images: $*"; }

main
