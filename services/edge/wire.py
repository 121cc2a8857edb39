"""What the server answers before there is a request: bytes that are no HTTP get a problem too.

Give it to uvicorn as `http`. Its own parser says what is wrong in plain text; that text is not repeated, since it may
quote what was sent.
"""

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from services.edge import problems


class ProblemProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, with problem+json where it would send plain text."""

    def send_400_response(self, msg: str) -> None:
        """Answer and close: where the next request would begin is unknown."""
        del msg
        answer = problems.unreadable_request()
        head = h11.Response(
            status_code=answer.status_code,
            headers=[*answer.raw_headers, (b"cache-control", b"no-store"), (b"connection", b"close")],
            reason=b"Bad Request",
        )
        for part in (head, h11.Data(data=bytes(answer.body)), h11.EndOfMessage()):
            written = self.conn.send(part)
            if written:
                self.transport.write(written)
        self.transport.close()
