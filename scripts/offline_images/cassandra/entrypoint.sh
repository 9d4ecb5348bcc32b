#!/usr/bin/env bash
# Write CASSANDRA_* into cassandra.yaml as the official image does, then run the command.
#
# In:      CASSANDRA_CLUSTER_NAME, CASSANDRA_SEEDS, CASSANDRA_LISTEN_ADDRESS, CASSANDRA_BROADCAST_ADDRESS, CASSANDRA_RPC_ADDRESS,
#          CASSANDRA_BROADCAST_RPC_ADDRESS, CASSANDRA_NUM_TOKENS, CASSANDRA_ENDPOINT_SNITCH.
# Out:     Cassandra in the foreground, as the user `cassandra` even when started by root.
set -euo pipefail

if [ "${1:-cassandra}" = cassandra ] && [ "$(id -u)" = 0 ]; then
    chown -R cassandra /var/lib/cassandra /var/log/cassandra
    exec setpriv --reuid=cassandra --regid=cassandra --init-groups "$0" "$@"
fi

address=$(hostname -I | cut -d' ' -f1)
: "${CASSANDRA_LISTEN_ADDRESS:=$address}" "${CASSANDRA_RPC_ADDRESS:=0.0.0.0}"
: "${CASSANDRA_BROADCAST_ADDRESS:=$CASSANDRA_LISTEN_ADDRESS}"
: "${CASSANDRA_BROADCAST_RPC_ADDRESS:=$CASSANDRA_BROADCAST_ADDRESS}" "${CASSANDRA_SEEDS:=$CASSANDRA_BROADCAST_ADDRESS}"

configuration=/etc/cassandra/cassandra.yaml
set_yaml() { # by `cat`, not `mv`: the file may be mounted
    local changed
    changed=$(sed -r "$1" "$configuration")
    printf '%s\n' "$changed" >"$configuration"
}

if [ "${1:-cassandra}" = cassandra ]; then
    set_yaml "s/(- seeds:).*/\1 \"$CASSANDRA_SEEDS\"/"
    for key in broadcast_address broadcast_rpc_address cluster_name endpoint_snitch listen_address num_tokens rpc_address; do
        variable=CASSANDRA_${key^^}
        [ -z "${!variable:-}" ] || set_yaml "s/^($key:).*/\1 '${!variable}'/"
    done
fi
exec "$@"
