"""The doctor as a command, and the proxies that it is sent to."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import trustme

from tests.proxies import DEPLOY, SITE, caddy, free_port, nginx
from tests.service import Server, run

HOST = "localhost"


class Opinion:
    """What the doctor said.

    Attributes:
        status: its exit status.
        printed: all of it, standard error too.
    """

    def __init__(self, *arguments: str, **settings: str) -> None:
        done = run("doctor", *arguments, "--json", **settings)
        self.status = done.returncode
        self.printed = done.stdout + done.stderr
        assert "Traceback" not in self.printed, self.printed
        document = json.loads(done.stdout) if done.returncode < 2 else {"checks": []}
        self.left_behind: str | None = document.get("left_behind")
        self.checks: dict[str, dict[str, Any]] = {
            check["name"]: check for check in document["checks"]
        }

    def said(self, verdict: str) -> dict[str, str]:
        """The sentences and the advice of all checks with this verdict, by their names."""
        return {
            name: "\n".join([check["sentence"], *check["advice"]])
            for name, check in self.checks.items()
            if check["verdict"] == verdict
        }

    @property
    def faults(self) -> dict[str, str]:
        """Of all checks that found one."""
        return self.said("fault")


class Certificates:
    """An authority of our own, and what it vouches for, as files in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = trustme.CA()
        self.ca = folder / "ca.pem"
        self._authority.cert_pem.write_to_path(str(self.ca))

    def issue(self, name: str = HOST, **details: Any) -> tuple[Path, Path]:
        """The files of a certificate with its chain, and of its key."""
        issued = self._authority.issue_cert(name, **details)
        chain, key = self._folder / f"{id(issued)}.pem", self._folder / f"{id(issued)}.key"
        for part in issued.cert_chain_pems:
            part.write_to_path(str(chain), append=True)
        issued.private_key_pem.write_to_path(str(key))
        return chain, key


def nginx_site(server: Server, folder: Path, port: int, certificate: tuple[Path, Path]) -> str:
    """deploy/nginx.conf, with our names in the place of those that operators change."""
    site = (DEPLOY / "nginx.conf").read_text()
    chain, key = certificate
    for theirs, ours in (
        ("    listen [::]:80;\n", ""),
        ("    listen [::]:443 ssl http2;\n", ""),
        ("listen 80;", f"listen 127.0.0.1:{free_port()};"),
        ("listen 443 ", f"listen 127.0.0.1:{port} "),
        (f"/etc/letsencrypt/live/{SITE}/fullchain.pem", str(chain)),
        (f"/etc/letsencrypt/live/{SITE}/privkey.pem", str(key)),
        ("/var/log/nginx/", f"{folder}/"),
        ("127.0.0.1:8000", f"127.0.0.1:{server.port}"),
        (f"server_name {SITE};", f"server_name {HOST};"),
    ):
        site = replaced(site, theirs, ours)
    return site


@contextmanager
def behind_nginx(
    server: Server,
    folder: Path,
    certificate: tuple[Path, Path],
    *changes: tuple[str, str],
) -> Iterator[str]:
    """The URL of deploy/nginx.conf in a real nginx, with `changes` (what, to what) made in it."""
    port = free_port()
    site = nginx_site(server, folder, port, certificate)
    for old, new in changes:
        site = replaced(site, old, new)
    with nginx(folder / "nginx", port, site):
        yield f"https://{HOST}:{port}"


@contextmanager
def behind_caddy(server: Server, folder: Path, certificate: tuple[Path, Path]) -> Iterator[str]:
    """The URL of deploy/Caddyfile in a real Caddy."""
    port = free_port()
    chain, key = certificate
    site = (DEPLOY / "Caddyfile").read_text()
    own_tls = f"https://{HOST}:{port} {{\n\tbind 127.0.0.1\n\ttls {chain} {key}"
    site = replaced(site, f"\n{SITE} {{", f"\n{own_tls}")
    site = replaced(site, "reverse_proxy 127.0.0.1:8000", f"reverse_proxy 127.0.0.1:{server.port}")
    with caddy(folder / "caddy", port, site):
        yield f"https://{HOST}:{port}"


def replaced(text: str, old: str, new: str) -> str:
    """`text` with something else in the place of `old`, which has to be there."""
    assert old in text, old
    return text.replace(old, new)
