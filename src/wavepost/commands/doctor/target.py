"""The URL that was given: which ones a visit can be paid to."""

import re
import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import httpx2

PORTS = {"http": 80, "https": 443}
HOST = re.compile(r"[A-Za-z0-9._-]+|\[?[0-9A-Fa-f:.]+\]?")


class NotAnAddress(Exception):
    """Why a URL can't be visited, as a sentence."""


@dataclass(frozen=True)
class Target:
    """Where the service is.

    Attributes:
        url: what all paths are appended to; without a slash at its end.
        host: as DNS knows it, in ASCII.
        port: 1 to 65535.
        path: what comes before the service's own paths, often nothing.
        tls: how to speak TLS; None for plain HTTP.
    """

    url: str
    host: str
    port: int
    path: str
    tls: ssl.SSLContext | None

    @property
    def authority(self) -> str:
        """The host and the port as a Host header has them, without a port that is usual."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = PORTS["https" if self.tls else "http"]
        return host if self.port == usual else f"{host}:{self.port}"

    @property
    def is_this_machine(self) -> bool:
        """Whether nobody on the network can listen."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def target(given: str, ca: Path | None = None) -> Target:
    """What `given` names; certificates of the authorities in the file `ca` count too.

    Raises NotAnAddress.
    """
    try:
        url = httpx2.URL(given.strip())
        host, port = url.raw_host.decode("ascii"), url.port
    except (httpx2.InvalidURL, ValueError):
        raise NotAnAddress(
            "Write the URL as https://host, with a port or a path if need be."
        ) from None
    if url.scheme not in PORTS or not HOST.fullmatch(host):
        raise NotAnAddress("Begin the URL with http:// or https://, and a host.")
    if url.userinfo or url.query or url.fragment:
        raise NotAnAddress("Leave user, password, ? and # out of the URL.")
    if port is not None and not 0 < port < 65_536:
        raise NotAnAddress("A port is a number from 1 to 65535.")
    path = url.raw_path.decode("ascii").rstrip("/")
    tls = _tls(ca) if url.scheme == "https" else None
    found = Target("", host.strip("[]"), port or PORTS[url.scheme], path, tls)
    return Target(f"{url.scheme}://{found.authority}{path}", found.host, found.port, path, tls)


def _tls(ca: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca:
        try:
            context.load_verify_locations(ca)
        except OSError as error:
            raise NotAnAddress(f"{ca} holds no certificates: {error.strerror or error}.") from None
    return context
