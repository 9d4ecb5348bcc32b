#!/usr/bin/env bash
# The whole pipeline on this machine, without Docker: sets up what is missing, then `pipeline demo`.
#
#   scripts/demo.sh [--yes] [--port N] [--data-dir DIR] [--seconds N] [--reset]
#
# --yes installs a Java runtime without asking where one is missing. All else goes to `pipeline demo`.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/set_up.sh

yes=no
options=()
for option in "$@"; do
    case "$option" in
        --yes) yes=yes ;;
        *) options+=("$option") ;;
    esac
done

ensure_java "$yes"
ensure_packages input,processing,tasks,display
ensure_fast_start
# Beside the demo, whose own tasks come first.
(nice -n 19 .venv/bin/python -m pipeline_processing.tasks.kernels 2>/dev/null &)
exec .venv/bin/pipeline demo ${options[@]+"${options[@]}"}
