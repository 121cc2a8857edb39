"""Loopback ports for parts that must know theirs before they listen."""

from __future__ import annotations

import socket
import sys


class HeldPort:
    """A free port on 127.0.0.1, kept from others until `release` while the part itself may listen on it.

    A bound socket that does not listen keeps the kernel from giving the port to anybody who asks for "any port"; a
    server that sets SO_REUSEADDR (the JVM does) may still listen on it. That closes the gap between choosing and
    listening, and across a restart. Only Linux allows it; elsewhere the port is let go at once and the gap remains.
    """

    def __init__(self, port: int = 0) -> None:
        """Hold `port`, or any free one for 0; OSError when it is taken."""
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind(("127.0.0.1", port))
        except OSError:
            self._socket.close()
            raise
        self.number = int(self._socket.getsockname()[1])
        if sys.platform != "linux":
            self._socket.close()

    def release(self) -> None:
        """Let the port go."""
        self._socket.close()


def free_port() -> int:
    """A port nobody listens on now, for a server that cannot share a held one. Others may take it meanwhile."""
    held = HeldPort()
    held.release()
    return held.number
