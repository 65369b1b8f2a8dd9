"""What browsers may do with our answers, and requests that two readers may read differently."""

from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wavepost.errors import InvalidRequest
from wavepost.web.problems import problem

DEFAULT_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # A page that holds a link must not tell it to the next one.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
NOT_A_PAGE = "default-src 'none'; frame-ancestors 'none'"
"""For answers that are no page: should a browser take one for a page, it can do nothing."""

ALWAYS = {**DEFAULT_HEADERS, "Content-Security-Policy": NOT_A_PAGE}
"""For what is said outside the application."""

EXPOSED_HEADERS = (
    "Accept-Ranges",
    "Content-Disposition",
    "Content-Length",
    "Content-Range",
    "ETag",
    "Location",
    "Retry-After",
    "Tus-Extension",
    "Tus-Max-Size",
    "Tus-Resumable",
    "Tus-Version",
    "Upload-Defer-Length",
    "Upload-Expires",
    "Upload-Length",
    "Upload-Metadata",
    "Upload-Offset",
    "X-Request-Id",
)
SENT_HEADERS = (
    "Authorization",
    "Content-Digest",
    "Content-Disposition",
    "Content-Type",
    "Idempotency-Key",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "Range",
    "Tus-Resumable",
    "Upload-Defer-Length",
    "Upload-Length",
    "Upload-Metadata",
    "Upload-Offset",
    "X-HTTP-Method-Override",
)


class SecurityHeaders:
    """Adds what an answer does not say itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                for name, value in DEFAULT_HEADERS.items():
                    headers.setdefault(name, value)
                # A browser shows sound in a page of its own, which this would stop.
                if not headers.get("content-type", "").startswith("audio/"):
                    headers.setdefault("Content-Security-Policy", NOT_A_PAGE)
                message["headers"] = headers.raw
            await send(message)

        await self._app(scope, receive, send_with_headers)


class OneFraming:
    """Refuses a body that says its length in two ways (RFC 9112, 6.1).

    A proxy before us that goes by the other one would take the rest for the next request:
    request smuggling.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if "transfer-encoding" in headers and (
            "content-length" in headers or scope["http_version"] == "1.0"
        ):
            error = InvalidRequest(
                "Send Content-Length or Transfer-Encoding, the latter with HTTP/1.1 only.",
                status=400,
            )
            close = {"Connection": "close"}
            await problem(error, scope["state"]["request_id"], close)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def cross_origin(origins: tuple[str, ...]) -> Callable[[ASGIApp], ASGIApp]:
    """Lets pages of these origins (`*`: any) use the API; their users send tokens, no cookies."""

    def wrap(app: ASGIApp) -> ASGIApp:
        return CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=("GET", "HEAD", "POST", "PATCH", "DELETE"),
            allow_headers=SENT_HEADERS,
            expose_headers=EXPOSED_HEADERS,
        )

    return wrap
