"""Hits: plain requests about a token in memory, answered below the application; all others go on to it."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from keybearer.server import secrets
from keybearer.server.clock import Clock
from keybearer.server.feed.freshness import Freshness
from keybearer.server.http.addresses import client_address
from keybearer.server.http.bare_doors import BareDoor
from keybearer.server.http.edge import Terms, headers_of, log_request
from keybearer.server.http.intake import MAX_HEADERS
from keybearer.server.metrics.requests import Requests
from keybearer.server.refusals import Refusal

HITS: Final = "keybearer.hits"
"""Under this name a connection finds them in the lifespan's state."""

# Headers that need judgement: they change how the body is read, or what the client expects.
_UNUSUAL: Final = frozenset({b"transfer-encoding", b"content-encoding", b"expect", b"upgrade"})

_LOG = structlog.get_logger("keybearer.request")


class Plain(NamedTuple):
    """
    A request that came whole in a piece of its own, with each header once and no unusual one among them.

    Args:
        at: when it came, microseconds since 1970 UTC.
        head: the headers by name, in small letters.
        address: the client's, trusted proxies considered.
    """

    at: int
    head: Mapping[bytes, bytes]
    body: bytes
    request_id: str
    address: str

    def header(self, name: bytes) -> str:
        """Return a header's value; '' if it was not sent."""
        return self.head.get(name, b"").decode("latin-1")


class Hit(NamedTuple):
    """
    What a hit is answered with, always 200.

    Args:
        lines: headers that differ from hit to hit, as `header_lines` writes them.
        noted: what the request's line in the log says beside; None: it leaves none.
    """

    lines: bytes
    body: bytes
    noted: Mapping[str, Any] | None = None


Look = Callable[[Plain], Hit | None]
"""Answers a request out of what the node has in memory; None, and nothing has happened, if that does not suffice."""


class HitDoor(BareDoor):
    """
    A bare door that can tell a hit.

    Args:
        look: is asked about every plain request of the first of these *methods*, before *endpoint* is.
        headers: of all answers to hits.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[[Request], Awaitable[Response]],
        look: Look,
        *,
        methods: Sequence[str],
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(path, endpoint, methods=list(methods))
        self.asked = (methods[0], path)
        self.first_line = f"{methods[0]} {path} HTTP/1.1".encode()
        self.look = look
        self.headers = headers


class Hits:
    """
    The doors that can tell a hit: a connection asks them before it asks the application.

    A hit waits for nothing but a look at the feed, and never refuses. A request that is not plain, not known or not
    allowed is passed on to the application unchanged, which judges it from the start. So no rule is written twice, and
    no answer differs.

    Args:
        now: microseconds since 1970 UTC.
        freshness: tells whether what the node has in memory is all that was committed before a request was sent.
        requests: where they are counted.
    """

    def __init__(
        self,
        routes: Iterable[BaseRoute],
        terms: Terms,
        now: Clock,
        freshness: Freshness,
        requests: Requests,
    ) -> None:
        self._told = requests.hits
        self._trusted = terms.trusted
        self._now = now
        self.freshness = freshness
        of_all = headers_of(terms.issuer)
        self._doors = {
            door.first_line: (door.look, header_lines({**of_all, **door.headers}), door.asked)
            for door in routes
            if isinstance(door, HitDoor)
        }

    def has(self, first_line: bytes) -> bool:
        """Tell whether there is a door for requests with this first line."""
        return first_line in self._doors

    def answer(self, first_line: bytes, headers: Sequence[tuple[bytes, bytes]], body: bytes, peer: str) -> bytes | None:
        """
        Return the answer to a request, from its headers on; None if the application has to give it.

        The caller knows that memory has all that was committed before the request was sent.

        Args:
            first_line: of one of the doors there are.
            headers: with names in small letters.
            peer: the connection's other end; '' for a local socket.
        """
        head = dict(headers)
        is_plain = len(headers) == len(head) <= MAX_HEADERS and b"host" in head and _UNUSUAL.isdisjoint(head)
        if not is_plain:
            return None
        began = time.perf_counter()
        look, lines, asked = self._doors[first_line]
        at, address = self._now(), self._address(head, peer)
        request_id = secrets.record_id(at)
        try:
            hit = look(Plain(at, head, body, request_id, address))
        except Refusal:
            return None
        except Exception:  # noqa: BLE001 - the application meets it too, and answers
            _LOG.exception("a hit failed", request_id=request_id)
            return None
        if hit is None:
            return None
        self._told[asked] += 1
        if hit.noted is not None:
            seconds = time.perf_counter() - began
            log_request(_LOG.info, (request_id, *asked, address), 200, seconds, hit.noted)
        return b"%b%bcontent-length: %d\r\nx-request-id: %b\r\n\r\n%b" % (
            hit.lines,
            lines,
            len(hit.body),
            request_id.encode(),
            hit.body,
        )

    def _address(self, head: Mapping[bytes, bytes], peer: str) -> str:
        said = head.get(b"x-forwarded-for")
        return peer if said is None else client_address(peer, [said.decode("latin-1")], self._trusted)


def header_lines(headers: Mapping[str, str]) -> bytes:
    """Write headers as they stand in an answer."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("latin-1")
