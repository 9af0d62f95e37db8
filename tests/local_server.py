"""A small web server on this machine that answers as a test wants: well, badly, or not at all."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import pytest


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
        self.silent, self.closing = threading.Event(), threading.Event()
        self.asked: list[tuple[str, str]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/"

    def handle_error(self, *_: object) -> None:
        """Say nothing where nobody listens any more."""


class _Handler(BaseHTTPRequestHandler):
    server: LocalServer

    def answer(self) -> None:
        path, server = unquote(self.path), self.server
        server.asked.append((self.command, path))
        if server.silent.is_set():
            server.closing.wait(30)
            return
        content = server.pages.get(path, b"")
        status = server.status.get(path, 200 if path in server.pages else 404)
        if isinstance(status, int) and status != 200:
            self.send_error(status)
            return
        self.send_response(200 if status == 200 else 302)
        if status != 200:
            self.send_header("Location", status)
        if path not in server.endless:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        while path in server.endless and not server.closing.wait(server.endless[path]):
            self.wfile.write(bytes(5000))
        self.wfile.write(content[: len(content) // 2] if path in server.cut else content)
        if path in server.cut:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)

    do_GET = do_HEAD = answer

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server():
    with LocalServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """Empty caches, no COURSE_DATA_DIR, and public sources where nobody listens."""
    from helpers.datasets import NETWORKS, SETS, _download

    for name in ("COURSE_DATA_DIR", "COURSE_DATA_SOURCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COURSE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{probe.getsockname()[1]}/"
    for a_set in (*SETS.values(), *NETWORKS.values()):
        monkeypatch.setattr(a_set, "URL", nobody)
    monkeypatch.setattr(_download, "RETRIES", 0)
    monkeypatch.setattr(_download, "silent", [])
