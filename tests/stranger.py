"""A server that is none of ours, and answers whatever a test wants."""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

Answering = Callable[[str], Iterable[bytes]]
"""From a request's first line to the bytes of its answer, as they are to be sent."""


def answer(
    body: str | bytes, status: str = "200 OK", media_type: str = "application/json", more: str = ""
) -> list[bytes]:
    """An answer that is well-formed; `more` are lines of headers, each with its end."""
    sent = body.encode() if isinstance(body, str) else body
    head = f"HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {len(sent)}\r\n"
    return [f"{head}Connection: close\r\n{more}\r\n".encode(), sent]


def page(status: str, *headers: str) -> list[bytes]:
    """A page of HTML, as proxies answer with."""
    more = "".join(f"{header}\r\n" for header in headers)
    return answer("<html>proxy</html>", status, "text/html", more)


@contextmanager
def always(*parts: bytes) -> Iterator[str]:
    """The URL of one that gives everybody the same answer."""
    with stranger(lambda _: parts) as url:
        yield url


@contextmanager
def stranger(answering: Answering) -> Iterator[str]:
    """The URL of one, while the context lasts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, answering), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, answering: Answering) -> None:
    with suppress(OSError):
        while True:
            caller, _ = listener.accept()
            threading.Thread(target=_answer, args=(caller, answering), daemon=True).start()


def _answer(caller: socket.socket, answering: Answering) -> None:
    with caller, suppress(OSError):
        request = b""
        while b"\r\n\r\n" not in request and (piece := caller.recv(65_536)):
            request += piece
        for part in answering(request.partition(b"\r\n")[0].decode("latin1")):
            caller.sendall(part)
