# Sourced by the other scripts: the virtual environment with pinned packages, and Java.
#
# In:   the repository's root as working directory.
# Out:  .venv holds this project and its pinned packages; `java` is 17 or newer. What is there already costs a second.

say() { echo "$*" >&2; }

python_command() {
    for candidate in python3 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    say "Python 3.11 or newer is needed and none is on PATH: install it, then run this again"
    return 1
}

# Installed again only when what is asked for has changed: pyproject.toml, constraints.txt or the extras; `dev` holds all extras.
ensure_packages() {
    local extras=$1 pins stamp=.venv/installed
    pins=$(cat pyproject.toml constraints.txt | sha256sum | cut -d' ' -f1)
    case "$(cat "$stamp" 2>/dev/null)" in "$extras $pins" | "dev $pins") return ;; esac
    if [ ! -x .venv/bin/python ]; then
        say "making the virtual environment .venv"
        "$(python_command)" -m venv .venv || {
            rm -rf .venv
            say "on Debian and Ubuntu the package python3-venv is needed too: install it, then run this again"
            return 1
        }
    fi
    say "installing the pinned packages (Spark alone is 400 MB; later starts skip this)"
    .venv/bin/python -m pip install --disable-pip-version-check \
        --constraint constraints.txt --editable ".[$extras]" >&2
    echo "$extras $pins" >"$stamp"
}

# JAVA_HOME's Java goes before the one on PATH, as it does for Spark.
java_major() {
    "${JAVA_HOME:+$JAVA_HOME/bin/}java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1
}

# $1 is "yes" to install without asking.
ensure_java() {
    local major
    major=$(java_major 2>/dev/null || true)
    if [ "${major:-0}" -ge 17 ]; then
        return
    fi
    if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
        say "Spark needs Java 17 or newer: install a JRE (Debian, Ubuntu: sudo apt-get install default-jre-headless; macOS: brew install openjdk@21), then run this again"
        return 1
    fi
    if [ "$1" != yes ] && [ -t 0 ]; then
        read -r -p "Spark needs Java 17 or newer and this machine has ${major:-none}. Install a headless JRE now? [y/N] " answer
        case "$answer" in [yY]*) ;; *) say "without Java there is no Spark"; return 1 ;; esac
    fi
    say "installing a headless JRE"
    apt-get update -qq
    if apt-cache show openjdk-21-jre-headless >/dev/null 2>&1; then
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openjdk-21-jre-headless >/dev/null
    else
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless >/dev/null
    fi
}

# Spark's first row comes four seconds sooner when the JVM finds the classes that it needs in an archive. Made once, and again
# after an update of the packages.
ensure_fast_start() {
    if [ -n "$(find .venv/share/pipeline -name 'spark-*.jsa' -newer .venv/installed 2>/dev/null)" ]; then
        return
    fi
    say "archiving Spark's classes, so that it starts faster (half a minute, once)"
    .venv/bin/python -m pipeline_processing.spark.archive >/dev/null || say "that failed, so Spark starts a little slower"
}

# The first points of a task do not wait when what Numba compiles is there. Made again when the engine's code has changed.
ensure_kernels() {
    .venv/bin/python -m pipeline_processing.tasks.kernels || say "that failed, so the first points of tasks wait a little"
}
