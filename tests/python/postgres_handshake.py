"""Servers that speak the beginning of PostgreSQL's protocol, and nothing more.

moto has endpoints but no databases. Whoever checks that "the engine answers on its port" needs
something there: these listeners decline encryption, ask for a password as a PostgreSQL server on
RDS does, and refuse every one. All listen on one port, each on a loopback address of its own.
"""

from __future__ import annotations

import hashlib
import socketserver
import struct
import threading
from collections.abc import Collection

SSL_REQUEST = 80877103
GSSENC_REQUEST = 80877104
PROTOCOL_3 = 3


def address_of(identifier: str) -> str:
    """The loopback address at which the database of this name answers, always the same."""
    first, second, third = hashlib.sha256(identifier.encode()).digest()[:3]
    return f"127.{64 + first % 128}.{second}.{1 + third % 254}"


class Handshake(socketserver.BaseRequestHandler):
    """One connection, as far as the refused password."""

    def handle(self) -> None:
        while True:
            (length,) = struct.unpack("!I", self._receive(4))
            request = self._receive(length - 4)
            (code,) = struct.unpack("!I", request[:4])
            if code in (SSL_REQUEST, GSSENC_REQUEST):
                self.request.sendall(b"N")
            elif code >> 16 == PROTOCOL_3:
                break
            else:
                return
        self._send(b"R", struct.pack("!I", 10) + b"SCRAM-SHA-256\0\0")
        self._receive(1)
        self._send(b"E", b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed\0\0")

    def _receive(self, count: int) -> bytes:
        received = b""
        while len(received) < count:
            chunk = self.request.recv(count - len(received))
            if not chunk:
                raise ConnectionResetError
            received += chunk
        return received

    def _send(self, kind: bytes, body: bytes) -> None:
        self.request.sendall(kind + struct.pack("!I", len(body) + 4) + body)


class WrongWords(socketserver.BaseRequestHandler):
    """One connection to something that is no PostgreSQL server."""

    def handle(self) -> None:
        self.request.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


class Listener(socketserver.ThreadingTCPServer):
    """A listener at one address."""

    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up in the middle has seen what it wanted."""


class Handshakes:
    """One port, and a listener on it for every address asked for.

    At the `imposters`' addresses answers something that is no PostgreSQL server.
    """

    def __init__(self, imposters: Collection[str] = ()) -> None:
        self._imposters = imposters
        self._listeners: dict[str, Listener] = {}
        self._lock = threading.Lock()
        # Held as long as the process lives, so that the port is nobody else's.
        self.port: int = self._listen("127.0.0.1", 0, Handshake)

    def at(self, identifier: str) -> str:
        """Listens at the identifier's address, and returns that address."""
        address = address_of(identifier)
        with self._lock:
            if address not in self._listeners:
                words = WrongWords if identifier in self._imposters else Handshake
                self._listen(address, self.port, words)
        return address

    def _listen(
        self, address: str, port: int, words: type[socketserver.BaseRequestHandler]
    ) -> int:
        listener = Listener((address, port), words)
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        self._listeners[address] = listener
        return listener.server_address[1]
