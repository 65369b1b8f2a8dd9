"""A real nginx before a server: it serves it below a path, and has a limit of its own."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.players import tool
from tests.service import Server, running, wait_for

CONFIGURATION = """
daemon off; user root; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port};
    location /post/ {{ proxy_pass {target}/; client_max_body_size 1m; }}
  }}
}}
"""


def answers(url: str) -> bool:
    """Whether somebody is there."""
    try:
        return httpx2.get(url).is_success
    except httpx2.TransportError:
        return False


@contextmanager
def proxied(folder: Path) -> Iterator[tuple[Server, str]]:
    """A server, and the address at which nginx serves it; requests may have 1 MiB there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    public_url = f"http://127.0.0.1:{port}/post"
    with running(folder / "log", data=str(folder / "data"), public_url=public_url) as server:
        file = folder / "nginx.conf"
        file.write_text(CONFIGURATION.format(folder=folder, port=port, target=server.url))
        with subprocess.Popen([tool("nginx"), "-c", file]) as nginx:
            try:
                wait_for(lambda: answers(f"{public_url}/healthz"), "nginx to answer")
                yield server, public_url
            finally:
                nginx.terminate()
