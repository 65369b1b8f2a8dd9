# The image holds Python, the dependencies of uv.lock and wavepost, and runs as a user of its own.
# Alone it keeps its recordings in SQLite:
#   docker build -t wavepost .
#   docker run -d --name wavepost --stop-timeout 45 -p 127.0.0.1:8000:8000 -v wavepost:/data wavepost
# The 45 seconds let uploads under way end first (WAVEPOST_SHUTDOWN_SECONDS is 30).

FROM python:3.13-slim AS build

ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_PROJECT_ENVIRONMENT=/opt/wavepost \
    UV_PYTHON=/usr/local/bin/python3 \
    UV_PYTHON_DOWNLOADS=never

WORKDIR /build

# The dependencies come first: they change less often than the source.
COPY pyproject.toml uv.lock ./
RUN pip install --no-cache-dir --root-user-action=ignore --disable-pip-version-check \
        "$(grep -o 'uv==[0-9.]*' pyproject.toml)" \
 && uv sync --locked --no-dev --no-install-project

COPY README.md LICENSE ./
COPY src src
RUN uv sync --locked --no-dev --no-editable


FROM python:3.13-slim

RUN groupadd --gid 10001 wavepost \
 && useradd --uid 10001 --gid wavepost --home-dir /data --no-create-home \
        --shell /usr/sbin/nologin wavepost \
 && install --directory --owner=wavepost --group=wavepost --mode=0700 /data

COPY --from=build /opt/wavepost /opt/wavepost

ENV PATH="/opt/wavepost/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    WAVEPOST_DATA=/data \
    WAVEPOST_HOST=0.0.0.0

# By number, so that a cluster that refuses root can see that it is not root.
USER 10001:10001
WORKDIR /data
EXPOSE 8000

HEALTHCHECK --interval=15s --timeout=15s --start-period=60s --retries=3 \
    CMD ["wavepost", "health"]

# `wavepost` is process 1 itself, so SIGTERM reaches it and uploads under way may end.
ENTRYPOINT ["wavepost"]
CMD ["serve"]
