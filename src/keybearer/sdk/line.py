"""One connection to a node that is kept open for one question after another; questions that wait for events use it."""

import asyncio
import json
import socket
import ssl
from collections.abc import Callable
from functools import cache, partial
from typing import Any, cast

import h11
import httpx2

from keybearer.sdk.driver import TIMEOUT_S, Call
from keybearer.sdk.reading import Answer, Reading
from keybearer.sdk.transport import Unanswered, demand_success, object_in


class Line:
    """
    Puts one question at a time, on the event loop's own connections.

    Every event wakes every verifier, and a pool of httpx2 takes ten times as long over an answer. What httpx2 can do
    beyond that (proxies, transports of one's own) is left to `Transport`.

    Args:
        key: the resource server's, sent with each question; letters, digits and underscores.
        trust: whose certificates are good.
    """

    def __init__(self, key: str, trust: ssl.SSLContext) -> None:
        self._headers = (
            f"authorization: Bearer {key}\r\naccept: application/json\r\n"
            "content-type: application/json\r\nuser-agent: keybearer\r\n"
        ).encode()
        self._trust = trust
        self._node = ""
        self._connection: _Connection | None = None

    async def post(self, call: Call) -> dict[str, Any]:
        """
        Put a question to a node.

        Raises:
            Unanswered: there was no answer in time, or not one of a node.
        """
        try:
            async with asyncio.timeout(call.timeout_s):
                answer = await self._answer(call)
        except TimeoutError:
            raise Unanswered(f"{call.node} does not answer within {call.timeout_s:.1f} s", is_silent=True) from None
        except h11.ProtocolError as error:
            raise Unanswered(f"{call.node} breaks off, or does not speak HTTP", is_silent=True) from error
        except OSError as error:
            raise Unanswered(f"{call.node} cannot be reached: {error!r}", is_silent=True) from error
        demand_success(call.node, answer.status)
        return object_in(call.node, answer.text)

    async def close(self) -> None:
        """Close the connection."""
        self._hang_up()
        await asyncio.sleep(0)  # the event loop closes it in its next turn

    async def _answer(self, call: Call) -> Answer:
        url, body = _url(call.node + call.path), json.dumps(call.body).encode()
        if self._connection is None or self._connection.has_ended or call.node != self._node:
            self._hang_up()
            self._node, self._connection = call.node, await self._connect(url)
        first = b"POST %b HTTP/1.1\r\nhost: %b\r\n" % (url.raw_path, url.netloc)
        question = b"%b%bcontent-length: %d\r\n\r\n%b" % (first, self._headers, len(body), body)
        try:
            return await self._connection.ask(question)
        except BaseException:  # what comes on it from here on would be the answer to another question
            self._hang_up()
            raise

    async def _connect(self, url: httpx2.URL) -> "_Connection":
        """Open a connection; each of the host's addresses has its share of the time: a dead one is no obstacle."""
        is_secure, host = url.scheme == "https", url.raw_host.decode()
        port = url.port or (443 if is_secure else 80)
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        secured: dict[str, Any] = {"ssl": self._trust, "server_hostname": host} if is_secure else {}
        failure = OSError("the host has no address")
        for *_, place in found:
            try:
                async with asyncio.timeout(TIMEOUT_S / len(found)):
                    _, connection = await loop.create_connection(_Connection, str(place[0]), port, **secured)
                    return connection
            except OSError as error:
                failure = error
        raise failure

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            connection.end()


class _Connection(asyncio.Protocol):
    """Carries one question and its answer at a time; what comes unasked ends it."""

    def __init__(self) -> None:
        self.has_ended = False
        self._transport: asyncio.Transport | None = None
        self._reading = Reading()
        self._waiting: asyncio.Future[Answer] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        if not self._hear(partial(self._reading.take, data)):
            self.end()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why makes no difference
        """See asyncio."""
        self.has_ended = True
        self._hear(self._reading.end)

    def end(self) -> None:
        """Close it, whatever is under way."""
        self.has_ended = True
        if self._transport:
            self._transport.abort()

    async def ask(self, question: bytes) -> Answer:
        """
        Put a question.

        Raises:
            h11.ProtocolError: what came is no whole answer.
            Unanswered: it is too long.
            OSError: nothing can be asked any more.
        """
        assert self._transport is not None  # noqa: S101 - asyncio hands over protocols that are connected
        if self.has_ended:
            raise ConnectionResetError("the connection was closed")
        self._reading, self._waiting = Reading(), asyncio.get_running_loop().create_future()
        self._transport.write(question)
        answer = await self._waiting
        if answer.is_last:
            self.end()
        return answer

    def _hear(self, read: Callable[[], Answer | None]) -> bool:
        """Let whoever waits have the answer once it is whole; False if nobody waits."""
        if self._waiting is None or self._waiting.done():
            return False
        try:
            answer = read()
        except (h11.ProtocolError, Unanswered) as error:
            self._waiting.set_exception(error)
        else:
            if answer:
                self._waiting.set_result(answer)
        return True


@cache
def _url(text: str) -> httpx2.URL:
    return httpx2.URL(text)
