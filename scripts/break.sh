#!/usr/bin/env bash
# Break a service of the running stack and watch it heal; the index page shows what stalls, what goes on, and the recovery.
#
#   scripts/break.sh SERVICE [kill|freeze|cut] [SECONDS] [NETWORK]
#
# kill    SIGKILL to the service's own process; the restart policy brings it back.          (the default)
# freeze  SIGSTOP for SECONDS (30), then SIGCONT: a process that is there and does not answer.
# cut     off all its networks for SECONDS (30), then on again: nobody reaches it, it reaches nobody. With NETWORK (queue, output,
#         processing) off that one alone: it goes on with those whom it meets elsewhere.
#
# SERVICE is a name of `docker compose ps`. COMPOSE_PROJECT_NAME and the other settings of Compose hold here, too.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "break: $*" >&2; }

usage() {
    sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
    say "running services: $(docker compose ps --services | sort | tr '\n' ' ')"
    exit 2
}

main() {
    local service=${1:-} how=${2:-kill} seconds=${3:-30} network=${4:-} containers
    [[ $service =~ ^[a-z0-9-]+$ && $seconds =~ ^[0-9]+$ && $network =~ ^[a-z0-9-]*$ && $# -le 4 ]] || usage
    [[ -z $network || $how == cut ]] || usage
    containers=$(docker compose ps --quiet "$service" 2>/dev/null) && [ -n "$containers" ] || usage
    for container in $containers; do
        case "$how" in
            kill) signal_own "$container" KILL && say "$service was killed" ;;
            freeze) freeze "$container" "$seconds" ;;
            cut) cut_off "$container" "$seconds" "$network" ;;
            *) usage ;;
        esac
    done
    wait_healthy "$service"
}

# The container's first process is an init; its child is the service. The init ends with it, and the restart policy acts:
# `docker kill` would tell the engine that the end was wanted.
signal_own() {
    docker exec "$1" bash -c "kill -$2 \$(< /proc/1/task/1/children)"
}

freeze() {
    signal_own "$1" STOP
    say "frozen for $2 s"
    trap 'signal_own "'"$1"'" CONT' EXIT
    sleep "$2"
    signal_own "$1" CONT
    trap - EXIT
    say "goes on"
}

cut_off() {
    local networks
    networks=$(networks_of "$1" "$3")
    [ -n "$networks" ] || { say "it is on no network \`$3\`, but on: $(networks_of "$1" "")"; exit 2; }
    trap 'join_again "'"$1"'" "'"$networks"'"' EXIT
    for network in $networks; do docker network disconnect "$network" "$1"; done
    say "cut off $networks for $2 s"
    sleep "$2"
    join_again "$1" "$networks"
    trap - EXIT
    say "on its networks again"
}

# All of the container, or the one that Compose made for the name: PROJECT_NAME.
networks_of() {
    docker inspect --format '{{range $name, $_ := .NetworkSettings.Networks}}{{println $name}}{{end}}' "$1" |
        { grep -- "${2:+_$2\$}" || true; } | xargs
}

# Under its service's name, as Compose gave it: the others find it by that.
join_again() {
    local service
    service=$(docker inspect --format '{{index .Config.Labels "com.docker.compose.service"}}' "$1")
    for network in $2; do docker network connect --alias "$service" "$network" "$1" 2>/dev/null || true; done
}

wait_healthy() {
    local began=$SECONDS
    while [ $((SECONDS - began)) -lt 120 ]; do
        if docker compose ps --format '{{.Service}} {{.Health}}' | grep -qx "$1 healthy"; then
            say "$1 is healthy $((SECONDS - began)) s later"
            return
        fi
        sleep 1
    done
    say "$1 is not healthy after 120 s: docker compose logs $1"
    return 1
}

main "$@"
