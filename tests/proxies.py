"""Real proxies before a server: nginx and Caddy, set as operators do."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.service import Server, running, wait_for

DEPLOY = Path(__file__).parents[1] / "deploy"
SITE = "post.example.org"

NGINX = """
daemon off; user root; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  proxy_cache_path {folder}/cache keys_zone=kept:1m;
  {sites}
}}
"""

CADDY = """
{{
  admin off
  storage file_system {folder}
  http_port {free_port}
  auto_https disable_redirects
}}
"""

PACKAGES = {"nginx": "nginx-light", "caddy": "caddy"}


def proxy(name: str) -> str:
    """The path of a proxy's program, which may be missing, but not in CI."""
    path = shutil.which(name)
    advice = f"{name} is not installed: apt-get install {PACKAGES[name]}"
    if path is None and "CI" not in os.environ:
        pytest.skip(advice)
    assert path, advice
    return path


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def takes_connections(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


@contextmanager
def nginx(folder: Path, port: int, sites: str) -> Iterator[None]:
    """An nginx with these servers, one of which listens on `port`, while the context lasts."""
    folder.mkdir(exist_ok=True)
    file = folder / "nginx.conf"
    file.write_text(NGINX.format(folder=folder, sites=sites))
    with _running([proxy("nginx"), "-e", str(folder / "error.log"), "-c", str(file)], port):
        yield


@contextmanager
def proxied(folder: Path) -> Iterator[tuple[Server, str]]:
    """A server, and where nginx serves it: below a path, and requests may have 1 MiB there."""
    port = free_port()
    public_url = f"http://127.0.0.1:{port}/post"
    with running(folder / "log", data=str(folder / "data"), public_url=public_url) as server:
        site = f"""server {{
            listen 127.0.0.1:{port};
            location /post/ {{ proxy_pass {server.url}/; client_max_body_size 1m; }}
        }}"""
        with nginx(folder / "nginx", port, site):
            yield server, public_url


@contextmanager
def caddy(folder: Path, port: int, site: str) -> Iterator[None]:
    """A Caddy with this site, while the context lasts."""
    folder.mkdir(exist_ok=True)
    file = folder / "Caddyfile"
    file.write_text(CADDY.format(folder=folder, free_port=free_port()) + site)
    with _running([proxy("caddy"), "run", "--adapter", "caddyfile", "--config", str(file)], port):
        yield


@contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: takes_connections(port), f"{command[0]} to listen")
            yield
        finally:
            process.terminate()
