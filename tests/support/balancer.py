"""What a Service does, on one machine: hands each connection to one of several ports on which somebody listens."""

import socket
import socketserver
import threading
from collections.abc import Sequence
from contextlib import suppress
from select import select
from typing import Self

_HOST = "127.0.0.1"
_CHUNK_BYTES = 65_536


class Balancer(socketserver.ThreadingTCPServer):
    """Hands out connections in turn, and passes over ports that refuse; use it as a context manager.

    Attributes:
        port: where it listens.
    """

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, backends: Sequence[int]) -> None:
        super().__init__((_HOST, 0), _Connection)
        self.port: int = self.socket.getsockname()[1]
        self._backends = list(backends)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._ended = False
        self._serving = threading.Thread(target=lambda: self.serve_forever(0.05), daemon=True)

    def __enter__(self) -> Self:
        self._serving.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._serving.join()
        with self._lock:
            self._ended = True
            for each in self._open:
                _shut(each)
        self.server_close()  # waits for those who pass on

    def opened(self, each: socket.socket) -> None:
        """Note a socket that ends with the balancer."""
        with self._lock:
            self._open.add(each)
            if self._ended:
                _shut(each)

    def closed(self, each: socket.socket) -> None:
        """Forget a socket: whoever has opened it is about to close it."""
        with self._lock:
            self._open.discard(each)

    def backend(self) -> socket.socket | None:
        """Connect to the next that listens; None: nobody does."""
        for _ in self._backends:
            with self._lock:
                self._backends.append(self._backends.pop(0))
                port = self._backends[-1]
            with suppress(OSError):
                return socket.create_connection((_HOST, port))
        return None


class _Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        balancer, client = self.server, self.request
        assert isinstance(balancer, Balancer)
        assert isinstance(client, socket.socket)
        balancer.opened(client)
        try:
            backend = balancer.backend()
            if backend is not None:
                with backend:
                    balancer.opened(backend)
                    _pass(client, backend)
                    balancer.closed(backend)
        finally:
            balancer.closed(client)


def _pass(one: socket.socket, other: socket.socket) -> None:
    """Pass on what comes from either until one has said all, or is gone."""
    with suppress(OSError):
        while True:
            for ready in select([one, other], [], [])[0]:
                chunk = ready.recv(_CHUNK_BYTES)
                if not chunk:
                    return
                (other if ready is one else one).sendall(chunk)


def _shut(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
