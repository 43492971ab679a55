"""One connection to a node, kept open for question after question: the way of those that wait for news."""

import asyncio
import json
import socket
import ssl
from collections.abc import Callable
from functools import cache
from typing import Any, cast
from urllib.request import getproxies

import h11
import httpx2

from keybearer.sdk.driver import TIMEOUT_S, Call
from keybearer.sdk.transport import MAX_ANSWER_BYTES, Unanswered, demand_success, object_in


def is_direct() -> bool:
    """Tell whether nodes are reached without a proxy, as far as the environment says."""
    proxies = getproxies()
    return not any(proxies.get(scheme) for scheme in ("http", "https", "all"))


@cache
def public_trust() -> ssl.SSLContext:
    """Return the certificates that everybody trusts; reading them takes a while."""
    trusted = httpx2.create_ssl_context()
    trusted.set_alpn_protocols(["http/1.1"])
    return trusted


class Line:
    """
    Puts one question at a time, through h11 on the event loop's own connections.

    Every event wakes every verifier, and a pool of httpx2 takes six times as long over an answer. What httpx2 can do
    beyond that (proxies, transports of one's own) is left to `Transport`.

    Args:
        key: the resource server's, sent with each question.
        trust: whose certificates are good.
    """

    def __init__(self, key: str, trust: Callable[[], ssl.SSLContext] = public_trust) -> None:
        self._headers = [
            (b"authorization", f"Bearer {key}".encode()),
            (b"accept", b"application/json"),
            (b"content-type", b"application/json"),
            (b"user-agent", b"keybearer"),
        ]
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
                status, text = await self._answer(call)
        except TimeoutError:
            raise Unanswered(f"{call.node} does not answer within {call.timeout_s:.1f} s", is_silent=True) from None
        except (h11.ProtocolError, OSError) as error:
            raise Unanswered(f"{call.node} cannot be reached: {error!r}", is_silent=True) from error
        demand_success(call.node, status)
        return object_in(call.node, text)

    async def close(self) -> None:
        """Close the connection."""
        self._hang_up()
        await asyncio.sleep(0)  # the event loop closes it in its next turn

    async def _answer(self, call: Call) -> tuple[int, bytes]:
        url, body = _url(call.node + call.path), json.dumps(call.body).encode()
        if self._connection is None or self._connection.has_ended or call.node != self._node:
            self._hang_up()
            self._node, self._connection = call.node, await self._connect(url)
        headers = [(b"host", url.netloc), *self._headers, (b"content-length", str(len(body)).encode())]
        question = h11.Request(method="POST", target=url.raw_path, headers=headers)
        try:
            answer = await self._connection.ask(question, body)
        except BaseException:  # what comes on it from here on would be the answer to another question
            self._hang_up()
            raise
        return answer

    async def _connect(self, url: httpx2.URL) -> "_Connection":
        """Open a connection; each of the host's addresses has its share of the time: a dead one is no obstacle."""
        is_secure, host = url.scheme == "https", url.raw_host.decode()
        port = url.port or (443 if is_secure else 80)
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        secured: dict[str, Any] = {"ssl": self._trust(), "server_hostname": host} if is_secure else {}
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
        self._http = h11.Connection(h11.CLIENT)
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._is_asking = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        if not self._is_asking:
            self.end()
            return
        self._http.receive_data(data)
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why makes no difference
        """See asyncio."""
        self.has_ended = True
        self._wake()

    def end(self) -> None:
        """Close it, whatever is under way."""
        self.has_ended = True
        if self._transport:
            self._transport.abort()

    async def ask(self, question: h11.Request, body: bytes) -> tuple[int, bytes]:
        """
        Put a question; return the answer's status and body.

        Raises:
            h11.ProtocolError: what came is no whole answer.
        """
        assert self._transport is not None  # noqa: S101 - asyncio hands over protocols that are connected
        self._is_asking = True
        parts = (question, h11.Data(body), h11.EndOfMessage())
        self._transport.write(b"".join(self._http.send(part) or b"" for part in parts))
        status, text = 0, bytearray()
        while not isinstance(event := await self._next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                text += event.data
            if len(text) > MAX_ANSWER_BYTES:
                raise Unanswered(f"a node answers with more than {MAX_ANSWER_BYTES} bytes")
        self._be_ready_for_the_next()
        return status, bytes(text)

    def _be_ready_for_the_next(self) -> None:
        self._is_asking = False
        if self._http.our_state is self._http.their_state is h11.DONE and not self._http.trailing_data[0]:
            self._http.start_next_cycle()
        else:
            self.end()

    async def _next_event(self) -> h11.Event:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self.has_ended:
                self._http.receive_data(b"")
                continue
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        if not isinstance(event, h11.Event) or isinstance(event, h11.ConnectionClosed):
            raise h11.RemoteProtocolError("the connection was closed, or is for something else")
        return event

    def _wake(self) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(None)


@cache
def _url(text: str) -> httpx2.URL:
    return httpx2.URL(text)
