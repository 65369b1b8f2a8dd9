"""A connection that can be cut: what stands between a browser and a server on a bad line."""

import socket
import threading
from contextlib import suppress

PIECE_BYTES = 16 * 1024


class Relay:
    """Passes bytes on between whoever connects to `port` and the server at `target_port`.

    Attributes:
        port: where it listens.
        passed: how many bytes came from those who connected.
        answers_pass: unset, what the server says is held back.
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
        """Let connections through again."""
        self._refuses = False

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
                server = socket.create_connection(("127.0.0.1", self._target_port))
                for side in (caller, server):
                    # Little is under way when it is cut.
                    side.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PIECE_BYTES)
                self._open += [caller, server]
                threading.Thread(target=self._ask, args=(caller, server), daemon=True).start()
                threading.Thread(target=self._answer, args=(server, caller), daemon=True).start()

    def _ask(self, caller: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while piece := caller.recv(PIECE_BYTES):
                self.passed += len(piece)
                server.sendall(piece)

    def _answer(self, server: socket.socket, caller: socket.socket) -> None:
        with suppress(OSError):
            while piece := server.recv(PIECE_BYTES):
                self.answers_pass.wait()
                caller.sendall(piece)
            caller.shutdown(socket.SHUT_WR)
