#!/usr/bin/env bash
# Make a cluster where PGDATA has none, as the official image does, then run the command.
#
# In:      POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE; POSTGRES_USER (postgres), POSTGRES_DB (the user's name), POSTGRES_INITDB_ARGS.
# Out:     PostgreSQL in the foreground, as the user `postgres` even when started by root. Others log in by password (scram-sha-256).
# Refuses: a first start without a password.
set -euo pipefail

if [ "${1:-postgres}" = postgres ] && [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA"
    chown -R postgres "$PGDATA" /var/run/postgresql
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

make_cluster() {
    local password=${POSTGRES_PASSWORD:-} user=${POSTGRES_USER:-postgres}
    [ -z "${POSTGRES_PASSWORD_FILE:-}" ] || password=$(<"$POSTGRES_PASSWORD_FILE")
    [ -n "$password" ] || { echo "no password: set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE" >&2; exit 1; }
    # shellcheck disable=SC2086 # several arguments in one variable, as the official image has it
    initdb --username="$user" --pwfile=<(printf '%s\n' "$password") ${POSTGRES_INITDB_ARGS:-}
    printf '\nhost all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
    local database=${POSTGRES_DB:-$user}
    [ "$database" = postgres ] && return
    pg_ctl --wait --options="-c listen_addresses=" start
    psql --no-psqlrc --username "$user" --dbname postgres --set database="$database" <<<'create database :"database";'
    pg_ctl --wait --mode fast stop
}

if [ "${1:-postgres}" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
    make_cluster
fi
exec "$@"
