"""A mail server of the tests' own (RFC 5321, the part that sending needs): it keeps what it is given, or refuses it."""

from __future__ import annotations

import email
import socketserver
import threading
from dataclasses import dataclass
from email.message import Message
from email.policy import default


@dataclass(frozen=True)
class Delivered:
    """One message as it was taken.

    Attributes:
        to: Recipients, as the server was told.
        message: The message.
    """

    to: list[str]
    message: Message

    @property
    def text(self) -> str:
        """All texts of the message."""
        parts = [part.get_payload(decode=True) for part in self.message.walk() if not part.is_multipart()]
        return "\n".join(part.decode() for part in parts if isinstance(part, bytes))


class MailServer:
    """Listens on a port of this machine until it is stopped.

    Attributes:
        delivered: What it took.
        refuses: Recipients that it does not know.
        port: Where it listens.
    """

    def __init__(self) -> None:
        self.delivered: list[Delivered] = []
        self.refuses: set[str] = set()
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), type("Talk", (_Talk,), {"post": self}))
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Talk(socketserver.StreamRequestHandler):
    post: MailServer

    def handle(self) -> None:
        self._say("220 ready")
        to: list[str] = []
        for line in self.rfile:
            command, _, rest = line.decode().strip().partition(" ")
            if command.upper() == "RCPT":
                address = rest.partition("<")[2].partition(">")[0]
                if address in self.post.refuses:
                    self._say("550 no such mailbox")
                    continue
                to.append(address)
            elif command.upper() == "DATA":
                self._say("354 go on")
                self.post.delivered.append(Delivered(to, email.message_from_bytes(self._body(), policy=default)))
                to = []
            elif command.upper() == "QUIT":
                self._say("221 bye")
                return
            self._say("250 ok")

    def _body(self) -> bytes:
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return b"".join(lines)

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())
