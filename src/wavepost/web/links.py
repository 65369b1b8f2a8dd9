"""Where this service is, as its callers see it: what links begin with."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_address
from uuid import UUID

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from wavepost.errors import InvalidRequest, NotFound

_WITH_PORT = re.compile(r"([0-9.]+):[0-9]+|\[([0-9A-Fa-f:.]+)\](?::[0-9]+)?")
_HOST = re.compile(r"([A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?")


def base_url(request: Request, public_url: str) -> str:
    """`public_url` where it is set, or else the address that the request came to."""
    if public_url:
        return public_url
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        raise InvalidRequest.field("Host", "send the name or address that you called")
    return f"{request.url.scheme}://{host}"


def parse_id(value: str) -> UUID:
    """Raises NotFound for what is no id: a stranger learns nothing from the difference."""
    try:
        parsed = UUID(value)
    except ValueError:
        raise NotFound from None
    if str(parsed) != value.lower():
        raise NotFound
    return parsed


class TrustedProxies:
    """Believes `X-Forwarded-For`, `-Proto` and `-Host`, but only from peers named as trusted.

    Each proxy appends to a header or replaces it, so the last value is the one that the peer
    itself vouches for.
    """

    def __init__(self, app: ASGIApp, networks: tuple[IPv4Network | IPv6Network, ...]) -> None:
        self._app = app
        self._networks = networks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["client"] and self._trusts(scope["client"][0]):
            headers = Headers(scope=scope)
            if (scheme := _last(headers, "x-forwarded-proto")) in ("http", "https"):
                scope["scheme"] = scheme
            if host := _last(headers, "x-forwarded-host"):
                MutableHeaders(scope=scope)["host"] = host
            scope["client"] = (self._client(headers) or scope["client"][0], 0)
        await self._app(scope, receive, send)

    def _client(self, headers: Headers) -> str | None:
        """The last address that is not a proxy of ours."""
        lines = ",".join(headers.getlist("x-forwarded-for"))
        addresses = [_without_port(part.strip()) for part in lines.split(",")]
        return next(
            (address for address in reversed(addresses) if address and not self._trusts(address)),
            None,
        )

    def _trusts(self, address: str) -> bool:
        if not self._networks:
            return False
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)


def _without_port(address: str) -> str:
    """`192.0.2.1:5000` and `[2001:db8::1]:5000` as some proxies write them, without the port."""
    found = _WITH_PORT.fullmatch(address)
    return found[1] or found[2] if found else address


def _last(headers: Headers, name: str) -> str:
    values = headers.getlist(name)
    return values[-1].rpartition(",")[2].strip() if values else ""
