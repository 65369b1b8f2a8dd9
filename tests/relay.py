"""A connection that can be cut: what stands between a browser and a server on a bad line."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

PIECE_BYTES = 16 * 1024


class Relay:
    """Passes bytes on between whoever connects to `port` and the server at `target_port`.

    Attributes:
        port: where it listens.
        passed: how many bytes came from those who connected.
        answers_pass: unset, what the server says is held back.
        stalls_at: once so many bytes have passed, those that follow are held back; or None.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._refuses = False
        self.port = self._listening.getsockname()[1]
        self.passed = 0
        self.answers_pass = threading.Event()
        self.answers_pass.set()
        self.stalls_at: int | None = None
        self._goes_on = threading.Condition()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection, as a network that is gone; new ones fail until `mend`."""
        self._refuses = True
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._open.clear()
        self.answers_pass.set()

    def mend(self) -> None:
        """Let connections through again, and all that comes by them."""
        self._refuses = False
        with self._goes_on:
            self.stalls_at = None
            self._goes_on.notify_all()

    def close(self) -> None:
        """Let nobody in any more."""
        self._listening.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._listening.accept()
                if self._refuses:
                    caller.close()
                    continue
                try:
                    server = socket.create_connection(("127.0.0.1", self._target_port))
                except OSError:
                    caller.close()
                    continue
                for side in (caller, server):
                    # Little is under way when it is cut.
                    side.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PIECE_BYTES)
                self._open += [caller, server]
                threading.Thread(target=self._ask, args=(caller, server), daemon=True).start()
                threading.Thread(target=self._answer, args=(server, caller), daemon=True).start()

    def _ask(self, caller: socket.socket, server: socket.socket) -> None:
        with _together(caller, server):
            while piece := caller.recv(PIECE_BYTES):
                with self._goes_on:
                    self._goes_on.wait_for(self._flows)
                self.passed += len(piece)
                server.sendall(piece)

    def _answer(self, server: socket.socket, caller: socket.socket) -> None:
        with _together(caller, server):
            while piece := server.recv(PIECE_BYTES):
                self.answers_pass.wait()
                caller.sendall(piece)
            caller.shutdown(socket.SHUT_WR)

    def _flows(self) -> bool:
        return self.stalls_at is None or self.passed < self.stalls_at


@contextmanager
def _together(*sides: socket.socket) -> Iterator[None]:
    """Where one side breaks, the other hears of it."""
    try:
        yield
    except OSError:
        for side in sides:
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()
