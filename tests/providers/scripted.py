"""A server of the tests' own, for answers that no vendor would give: it plays a script and remembers its requests."""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What to send back.

    Attributes:
        status: HTTP status.
        body: Bytes, text, or anything else as JSON.
        headers: Headers besides the length.
        cut: Bytes of the body after which the connection ends; None: the body is whole.
        reset: Drop the connection without an answer.
        seconds: Time before it is sent.
        more: Pieces of body that follow, so that a long one need not be held in memory; sent chunked.
    """

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    reset: bool = False
    seconds: float = 0.0
    more: Callable[[], Iterable[bytes]] | None = None

    @property
    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


@dataclass(frozen=True)
class Received:
    """One request, as it came over the wire.

    Attributes:
        method: HTTP method.
        target: Path and query, letter by letter.
        headers: Headers by lower-case name.
        body: The body.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class ScriptedServer:
    """Plays its answers in order and repeats the last one.

    Attributes:
        url: Its address.
        received: What it was sent.
        most_at_once: Most requests that were under way at the same time.
    """

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.most_at_once = 0
        self._answers: list[Answer | Callable[[Received], Answer]] = [Answer(404)]
        self._under_way = 0
        self._lock = threading.Lock()
        self._server = _QuietServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"script": self}))
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def play(self, *answers: Answer | Callable[[Received], Answer]) -> ScriptedServer:
        """Set the script; a function makes its answer from the request."""
        self._answers = list(answers)
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _take(self, request: Received) -> Answer:
        with self._lock:
            self.received.append(request)
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return answer if isinstance(answer, Answer) else answer(request)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1


class _Handler(BaseHTTPRequestHandler):
    """Answers from a script."""

    script: ScriptedServer
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        with self.script._counted():
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = self.script._take(Received(self.command, self.path, headers, body))
            time.sleep(answer.seconds)
            self._send(answer)

    do_GET = do_POST = do_PUT = do_CONNECT = handle_any  # noqa: N815 - the library's names

    def _send(self, answer: Answer) -> None:
        if answer.reset:
            self._drop()
            return
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.more is None:
            self._send_whole(answer)
        else:
            self._send_pieces(chain((answer.content,), answer.more()))

    def _drop(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def _send_whole(self, answer: Answer) -> None:
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content[: answer.cut])
        if answer.cut is not None:
            self.close_connection = True

    def _send_pieces(self, pieces: Iterable[bytes]) -> None:
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in filter(None, pieces):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *args: Any) -> None:
        pass


class _QuietServer(ThreadingHTTPServer):
    """A caller that hangs up is part of many tests, and nothing to print."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError | ValueError):
            super().handle_error(request, client_address)


@contextmanager
def scripted(*answers: Answer | Callable[[Received], Answer]) -> Iterator[ScriptedServer]:
    """A server that plays these answers."""
    server = ScriptedServer()
    try:
        yield server.play(*answers) if answers else server
    finally:
        server.stop()
