"""Run a WSGI application on 127.0.0.1 in background threads, with keep-alive."""

import contextlib
import io
import logging
import os
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from werkzeug.serving import WSGIRequestHandler

HOST = "127.0.0.1"
_HANG_UP = "sandbox.hang_up"
_DRIP = "sandbox.drip"
_log = logging.getLogger(__name__)

WSGIApp = Callable[..., Any]


def hang_up(environ: dict[str, Any]) -> None:
    """Make the server close the connection of this request without an answer."""
    environ[_HANG_UP] = True


def drip(environ: dict[str, Any], seconds: float) -> None:
    """Make the server write the body of this answer byte by byte, `seconds` apart."""
    environ[_DRIP] = seconds


class _Handler(WSGIRequestHandler):
    """One connection. Werkzeug's own loop closes after each answer; this one keeps it open."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave in one packet

    def run_wsgi(self) -> None:
        self.environ = environ = self.make_environ()
        # The whole body is read first: the next request then starts at its own first byte.
        if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", ""):
            body = environ["wsgi.input"].read()
        else:
            body = self.rfile.read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        answer: list[Any] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Any:
            answer[:] = [status, headers]
            return io.BytesIO().write

        try:
            chunks = self.server.app(environ, start_response)
            try:
                payload = b"".join(chunks)
            finally:
                if hasattr(chunks, "close"):
                    chunks.close()
        except Exception:
            _log.exception("%s %s failed", self.command, self.path)
            answer = ["500 Internal Server Error", [("Content-Type", "text/plain")]]
            payload = b"The practice server failed; its log says why."
        if environ.get(_HANG_UP):
            self.close_connection = True
            return
        self._send(answer[0], answer[1], payload)

    def _send(self, status: str, headers: list[tuple[str, str]], payload: bytes) -> None:
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        names = {name.lower() for name, _ in headers}
        if "date" not in names:
            self.send_header("Date", self.date_time_string())
        for name, value in headers:
            self.send_header(name, value)
        bodyless = self.command == "HEAD" or code in ("204", "304")
        if "content-length" not in names and code not in ("204", "304"):
            self.send_header("Content-Length", str(len(payload)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if payload and not bodyless:
            self._write(payload)
        self.wfile.flush()

    def _write(self, payload: bytes) -> None:
        pause = self.environ.get(_DRIP)
        if not pause:
            self.wfile.write(payload)
            return
        for number in range(len(payload)):
            self.wfile.write(payload[number : number + 1])
            self.wfile.flush()
            time.sleep(pause)

    def log(self, type: str, message: str, *args: Any) -> None:
        """No request log: the applications count their own requests."""


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 128
    # What werkzeug's handler asks of its server.
    ssl_context = None
    multithread = True
    multiprocess = False
    passthrough_errors = False

    def __init__(self, port: int, app: WSGIApp) -> None:
        self.app = app
        self.open: dict[threading.Thread, socket.socket] = {}
        super().__init__((HOST, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        self.open[thread] = request
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.open.pop(threading.current_thread(), None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that goes away in the middle is its own business.
        if not isinstance(sys.exception(), OSError):
            _log.exception("connection from %s failed", client_address)


class Server:
    """A running application: `.url`, `.port`, `.close()`; also a context manager."""

    def __init__(self, app: WSGIApp, port: int = 0) -> None:
        self._listener = _Listener(port, app)
        self.port: int = self._listener.server_address[1]
        self.url = f"http://{HOST}:{self.port}"
        self._thread = threading.Thread(
            target=self._listener.serve_forever,
            args=(0.02,),
            name=f"serve-{self.port}",
            daemon=True,
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening, hang up on whoever is still connected. Harmless when repeated."""
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join(5)
        for thread, connection in list(self._listener.open.items()):
            # An idle keep-alive client would hold its thread for ever.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(5)

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def serve(app: WSGIApp, port: int = 0) -> Server:
    """Serve `app` on 127.0.0.1:`port` (0: any free port) until `.close()`.

    Whoever asks for it from this process, or one of its children, goes past any proxy of the
    environment. Raises OSError when the port is taken.
    """
    _ask_without_proxy()
    return Server(app, port)


def _ask_without_proxy() -> None:
    for name in ("no_proxy", "NO_PROXY"):
        hosts = [host for host in os.environ.get(name, "").split(",") if host]
        missing = [host for host in (HOST, "localhost") if host not in hosts]
        os.environ[name] = ",".join((*hosts, *missing))
