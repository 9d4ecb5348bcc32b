# Tasks: the task engine, its API and the door for points. No Spark and no Java.
FROM debian:trixie-slim
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked --mount=type=cache,target=/var/lib/apt,sharing=locked \
    rm -f /etc/apt/apt.conf.d/docker-clean && apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ca-certificates python3-venv >/dev/null
# One user for all our images, so that volumes are shared without changing owners.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin pipeline \
    && install -d -o pipeline -g pipeline /data/tasks /data/alerts \
    && python3 -m venv /opt/pipeline
ENV PATH=/opt/pipeline/bin:$PATH PYTHONUNBUFFERED=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_CONSTRAINT=/opt/pipeline/source/constraints.txt
WORKDIR /opt/pipeline/source
# Dependencies first: a change of the code does not install them again.
COPY pyproject.toml README.md LICENSE constraints.txt ./
RUN --mount=type=cache,target=/root/.cache/pip pip install --quiet ".[tasks]"
COPY queue queue
COPY output output
COPY input input
COPY processing processing
COPY scripts/pipeline_cli scripts/pipeline_cli
RUN --mount=type=cache,target=/root/.cache/pip pip install --quiet --no-deps --force-reinstall .
USER pipeline
# What Numba compiles, so that the first points need not wait for it. A new volume begins with the image's folder; on another kind of
# processor it is compiled again there.
ENV NUMBA_CACHE_DIR=/data/tasks/compiled
RUN python3 -m pipeline_processing.tasks.kernels
ENTRYPOINT ["pipeline"]
