"""A small web server on this machine that answers as a test wants: well, badly, or not at all."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


class LocalServer(ThreadingHTTPServer):
    """Serves ``pages``; tests change them while it runs.

    Attributes:
        pages: decoded path -> what is sent for it; anything else is a 404.
        cut: paths whose answer breaks off half-way.
        endless: paths whose answer never ends, with the seconds between two of its pieces.
        status: paths that are answered with this error, or sent on to another path by a 302.
        silent: an event to set when nobody shall get an answer.
        asked: (method, decoded path) of every request, in order.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, bytes] = {}
        self.cut: set[str] = set()
        self.endless: dict[str, float] = {}
        self.status: dict[str, int | str] = {}
        self.silent = threading.Event()
        self.closing = threading.Event()
        self.asked: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: LocalServer

    def answer(self) -> None:
        path = unquote(self.path)
        self.server.asked.append((self.command, path))
        if self.server.silent.is_set():
            self.server.closing.wait(30)
            return
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        content = self.server.pages.get(path)
        refused = self.server.status.get(path, 404 if content is None else 200)
        if isinstance(refused, str):
            self.send_response(302)
            self.send_header("Location", refused)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if refused != 200:
            self.send_error(refused)
            return
        self.send_response(200)
        if path not in self.server.endless:
            self.send_header("Content-Length", str(len(content)))
        self.send_header(
            "Content-Type", "application/json" if content[:1] == b"{" else "application/octet-stream"
        )
        self.end_headers()
        if self.command == "HEAD":
            return
        with suppress(OSError):  # nobody listens any more
            while path in self.server.endless and not self.server.closing.wait(self.server.endless[path]):
                self.wfile.write(bytes(5000))
        if path in self.server.cut:
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = answer

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def leave_alone(monkeypatch, folder) -> None:
    """Give a test an empty cache in a folder, no COURSE_DATA_DIR, and public sources where nobody listens."""
    from helpers.datasets import NETWORKS, SETS, _download

    for name in ("COURSE_DATA_DIR", "COURSE_DATA_SOURCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COURSE_CACHE_DIR", str(folder / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(folder / "keras"))
    nobody = url_of_nobody()
    for a_set in SETS.values():
        monkeypatch.setattr(a_set, "URL", nobody)
    for network in NETWORKS.values():
        monkeypatch.setattr(network, "URL", nobody + network.FOLDER)
    monkeypatch.setattr(_download, "RETRIES", 0)
    monkeypatch.setattr(_download, "waited", 0.0)


@contextmanager
def running_server() -> Iterator[LocalServer]:
    server = LocalServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


def url_of_nobody() -> str:
    """An address of this machine where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/"
