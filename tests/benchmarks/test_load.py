import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from benchmarks import load


@pytest.fixture
def server():
    """Answers every request with the status and the body that the request itself holds."""

    class Echo(BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_response(int(self.path.removeprefix("/")))
            self.end_headers()
            self.wfile.write(self.rfile.read(int(self.headers["Content-Length"])))

        def log_message(self, *_arguments):
            pass

    with HTTPServer(("127.0.0.1", 0), Echo) as one:
        threading.Thread(target=one.serve_forever, daemon=True).start()
        yield one
        one.shutdown()


def page(status: int, body: bytes) -> load.Page:
    return load.Page(f"/{status}", body, {}, proof=b'"processed":75')


def test_page_that_was_applied_counts(server):
    assert load._send(server.server_port, page(201, b'{"processed":75}')) > 0


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, b'{"processed":75}'), (503, b""), (201, b'{"processed":74}')],
    ids=["refused", "turned away", "applied in part"],
)
def test_page_that_was_not_applied_ends_the_run(server, status, body):
    with pytest.raises(load.AnswerError):
        load._send(server.server_port, page(status, body))
