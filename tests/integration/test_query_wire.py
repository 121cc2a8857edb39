"""What a client gets that speaks no HTTP: a problem like any other, and its connection closed."""

import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from services.edge.metrics import Metrics
from services.edge.web import new_app
from services.edge.wire import ProblemProtocol


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    app = new_app("test", None, Metrics(), {}, version="1")  # type: ignore[arg-type]  # nobody shows a key
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http=ProblemProtocol, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield listener.getsockname()[:2]
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


def say(address: tuple[str, int], sent: bytes) -> bytes:
    """Everything that comes back until the server closes the connection."""
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(sent)
        heard = b""
        while part := connection.recv(4096):
            heard += part
        return heard


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"HELLO\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nBad header\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_http_gets_a_problem_that_does_not_repeat_it(address: tuple[str, int], sent: bytes) -> None:
    head, _, body = say(address, sent).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/problem+json" in head.lower()
    problem = json.loads(body)
    assert problem["type"] == "/problems/malformed"
    assert b"HELLO" not in body


def test_what_is_http_is_answered_as_ever(address: tuple[str, int]) -> None:
    heard = say(address, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert heard.startswith(b"HTTP/1.1 200 ")
