"""A real HTTP server on loopback that stands in for those of the internet, and answers as it is set, well or badly."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Play = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class WebServer:
    """`play` answers each request; `asked` are the paths. Set `gone` to let slow plays end."""

    url: str = ""
    play: Play | None = None
    asked: list[str] = field(default_factory=list)
    was_asked: threading.Event = field(default_factory=threading.Event)
    gone: threading.Event = field(default_factory=threading.Event)

    def serve(self, body: bytes, status: int = 200, **headers: str) -> None:
        """Answer every request so from now on."""

        def play(request: BaseHTTPRequestHandler) -> None:
            request.send_response(status)
            for name, value in {"Content_Length": str(len(body)), **headers}.items():
                request.send_header(name.replace("_", "-"), value)
            request.end_headers()
            request.wfile.write(body)

        self.play = play

    def drip(self, pause_s: float) -> None:
        """Begin every answer, then send a byte after each pause."""

        def play(request: BaseHTTPRequestHandler) -> None:
            request.send_response(200)
            request.end_headers()
            while not self.gone.wait(pause_s):
                request.wfile.write(b" ")

        self.play = play


@contextmanager
def web_server() -> Iterator[WebServer]:
    """Serving while the block lasts."""
    server = WebServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Any path at all."""
            server.asked.append(self.path)
            server.was_asked.set()
            try:
                (server.play or _nothing)(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the client has left: that is what some tests are about

        def log_message(self, *_: object) -> None:
            """Silent."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    try:
        yield server
    finally:
        server.gone.set()
        http.shutdown()
        thread.join()
        http.server_close()


def _nothing(request: BaseHTTPRequestHandler) -> None:
    request.send_error(404)
