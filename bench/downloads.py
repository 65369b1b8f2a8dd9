"""One MP3 downloaded over and over: from its link, from FastAPI's FileResponse, from nginx."""

import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

MP3 = "one.mp3"
CONNECTIONS = 8
SECONDS = 4

FILE_RESPONSE = """
import sys
from fastapi import FastAPI
from fastapi.responses import FileResponse
import uvicorn

app = FastAPI()

@app.get("/file")
def file() -> FileResponse:
    return FileResponse(sys.argv[1], media_type="audio/mpeg")

uvicorn.run(app, port=int(sys.argv[2]), access_log=False, log_level="warning")
"""

NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{}}
http {{
    access_log off; sendfile on; client_body_temp_path {folder}/body;
    server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


def measure(link: str, folder: Path, runs: int) -> dict[str, list[float]]:
    """Downloads a second of each that can be had here, in turns; without wrk, none."""
    if not shutil.which("wrk"):
        return {}
    mp3 = folder / MP3
    with urllib.request.urlopen(link) as answer:
        mp3.write_bytes(answer.read())
    folder.chmod(0o755)
    with ExitStack() as stack:
        urls = {"wavepost": link, "FileResponse": stack.enter_context(_file_response(mp3))}
        if shutil.which("nginx"):
            urls["nginx"] = stack.enter_context(_nginx(mp3))
        found: dict[str, list[float]] = {name: [] for name in urls}
        for turn in range(runs + 1):
            for name, url in urls.items():
                rate = _wrk(url)
                if turn:
                    found[name].append(rate)
    return found


def _wrk(url: str) -> float:
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}", url]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in shown or "Socket errors" in shown:
        raise RuntimeError(shown)
    match = re.search(r"Requests/sec: +([\d.]+)", shown)
    assert match
    return float(match[1])


@contextmanager
def _file_response(mp3: Path) -> Iterator[str]:
    port = _free_port()
    with _server([sys.executable, "-c", FILE_RESPONSE, str(mp3), str(port)], port):
        yield f"http://127.0.0.1:{port}/file"


@contextmanager
def _nginx(mp3: Path) -> Iterator[str]:
    port = _free_port()
    configuration = mp3.parent / "nginx.conf"
    configuration.write_text(NGINX.format(folder=mp3.parent, port=port))
    with _server(["nginx", "-c", str(configuration)], port):
        yield f"http://127.0.0.1:{port}/{mp3.name}"


@contextmanager
def _server(command: list[str], port: int) -> Iterator[None]:
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port)
            yield
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"Nothing answers on port {port}.")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
