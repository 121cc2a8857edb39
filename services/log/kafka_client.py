"""Clients of kafka-python that end what they begin, and how they say that a broker is slow or away."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient
from kafka.net.inet import KafkaNetSocket

from schemas.errors import Unavailable

RECONNECT_MS_MAX = 1000
"""The default, 30 s, would leave a broker that is back unused for half a minute."""


class _ClosingSocket(KafkaNetSocket):  # type: ignore[misc]  # untyped package
    """Connects directly, and closes the socket of a refused connection.

    kafka-python 3.0 leaves those to the garbage collector: one a second and client while a broker is away. Its place
    for other ways to connect, a proxy's URL scheme, is where this one is put in.
    """

    SCHEMES = ("closing",)
    URL = "closing://"

    async def sock_connect(self, net: Any, sock: socket.socket, sockaddr: Any, timeout_at: float | None = None) -> Any:
        """As in the base class."""
        try:
            return await super().sock_connect(net, sock, sockaddr, timeout_at=timeout_at)
        except BaseException:
            sock.close()
            raise


def connected(kind: Any, **settings: Any) -> Any:
    """A client of this kind; when its construction fails, its thread and sockets end too.

    kafka-python 3.0 leaves them running, one more with every attempt, and gives no handle to close them by.
    """
    begun: list[KafkaNetClient] = []

    def begin(**configs: Any) -> KafkaNetClient:
        begun.append(KafkaNetClient(**configs))
        return begun[-1]

    try:
        return kind(kafka_client=begin, proxy_url=_ClosingSocket.URL, **settings)
    except BaseException:
        for client in begun:
            client.close()
        raise


@contextmanager
def administering(bootstrap: str, deadline: float) -> Iterator[KafkaAdminClient]:
    """A client for topics and settings, closed at the end. `deadline` is one of `time.monotonic`."""
    admin = connected(
        KafkaAdminClient,
        bootstrap_servers=bootstrap,
        bootstrap_timeout_ms=left_ms(deadline),
        request_timeout_ms=left_ms(deadline),
        reconnect_backoff_max_ms=RECONNECT_MS_MAX,
    )
    try:
        yield admin
    finally:
        admin.close()


def left_ms(deadline: float) -> int:
    """Milliseconds until a deadline of `time.monotonic`, at least one."""
    return max(1, round((deadline - time.monotonic()) * 1000))


@contextmanager
def unavailable(doing: str) -> Iterator[None]:
    """Turns what kafka-python raises into `Unavailable`."""
    try:
        yield
    except KafkaError as error:
        raise Unavailable(f"Kafka is slow or away ({doing}): {error or type(error).__name__}") from error
