# lstm-bench with what it needs, from Debian's and PyPI's packages alone.
#
#   docker build -t lstm-bench .
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/sweeps" lstm-bench init mine
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD/mine:/sweeps" lstm-bench sweep quickstart seeds=2
#
# A worker of a cluster: docker run --rm --entrypoint dask lstm-bench worker tcp://HOST:8786
FROM debian:trixie-slim

RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*

# The versions are those of requirements.lock, without the tools of developers that it has too.
WORKDIR /opt/source
COPY requirements.lock pyproject.toml README.md LICENSE ./
COPY lstm_bench lstm_bench
RUN python3 -m venv /opt/venv \
    && grep -v '^ ' requirements.lock | sed 's/ *\\$//' > constraints.txt \
    && /opt/venv/bin/pip install --no-cache-dir --constraint constraints.txt '.[dask,excel]' \
    && rm -rf /opt/source

# Whoever runs the container may have any number as a user, and then no home.
ENV PATH=/opt/venv/bin:$PATH HOME=/tmp MPLCONFIGDIR=/tmp/matplotlib
WORKDIR /sweeps
ENTRYPOINT ["lstm-bench"]
CMD ["--help"]
