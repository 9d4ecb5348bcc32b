#!/usr/bin/env bash
# The one test command: sets up what is missing and runs the tiers that this machine can run.
#
#   scripts/run_tests.sh [--unit] [--e2e] [--stack] [--socketio] [--spark] [--streaming] [--soak] [--require unit,e2e,stack]
#
# Without a choice all tiers run. The parts run what concerns them without an engine; --soak is what has a large size at that size, and then the stack under fire for an hour. A tier that this machine cannot run is skipped with its reason; --require makes that a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/set_up.sh

ensure_packages dev
exec .venv/bin/python tests/tiers.py "$@"
