"""Requests to URLs that users have given: only to public addresses, and only to the address that was checked."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

import httpx2

from keybearer.server.records import Answer
from keybearer.server.rules.public_addresses import is_public
from keybearer.server.rules.webhook_url import Place, place_of

PATIENCE_S: Final = 5.0  # for all of it: the name, the connection, TLS, the answer
MAX_ANSWER_BYTES: Final = 16 * 1024  # read so that the receiver need not fail in writing them; nothing is kept
_DRAIN_S: Final = 1.0
_MOST_ADDRESSES: Final = 3
_NAMES_AT_ONCE: Final = 8

# Why there was no answer, and what whoever manages the webhook is told.
TROUBLES: Final = {
    "timeout": f"No answer within {PATIENCE_S:g} seconds",
    "unresolved": "The host name could not be resolved",
    "private": "The host's address is not public",
    "unreachable": "No connection to the host",
    "tls": "No trusted certificate",
    "protocol": "The answer was not HTTP",
}

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[Address]]]


def names_by_the_system() -> Resolver:
    """Return what asks the system, on threads of its own: a name that is slow to resolve holds up no other work."""
    threads = ThreadPoolExecutor(_NAMES_AT_ONCE, "keybearer-names")

    async def resolve(host: str, port: int) -> Sequence[Address]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        return tuple(dict.fromkeys(ip_address(address[0]) for *_, address in found))

    return resolve


@cache
def _trusted() -> ssl.SSLContext:
    return httpx2.create_ssl_context()


def connection() -> httpx2.AsyncBaseTransport:
    """Return what carries one request, on a connection of its own: one kept open would be another host's tomorrow."""
    limits = httpx2.Limits(max_connections=1, max_keepalive_connections=0)
    return httpx2.AsyncHTTPTransport(verify=_trusted(), trust_env=False, limits=limits)


@dataclass(frozen=True, slots=True)
class Network:
    """
    The network as far as the server itself sends requests; tests replace it.

    Args:
        resolve: tells the addresses of a name; OSError if there are none.
        connect: makes what carries one request.
    """

    resolve: Resolver = field(default_factory=names_by_the_system)
    connect: Callable[[], httpx2.AsyncBaseTransport] = connection


class _Unsent(Exception):
    """The request cannot be sent; the text is one of ``TROUBLES``."""


class Egress:
    """
    Sends requests to other people's servers.

    Args:
        allows_private: whether they may lead into this server's own network, and go there by http.
        patience_s: seconds from the look-up of the name to the answer.
    """

    def __init__(self, network: Network, *, allows_private: bool, patience_s: float = PATIENCE_S) -> None:
        self._network = network
        self._allows_private = allows_private
        self._patience_s = patience_s

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """
        Post *body* to *url*; failures are answers too, and redirects are not followed.

        The name is resolved once, each of its addresses is checked, and the connection goes to one of them: a second
        look-up could return another address. The certificate must still be the name's.
        """
        deadline = asyncio.get_running_loop().time() + self._patience_s
        try:
            place, addresses = await self._way_to(url, deadline)
            return Answer(await self._status(_requests(url, place, addresses, body, headers), deadline))
        except TimeoutError:
            return Answer(None, "timeout")
        except _Unsent as unsent:
            return Answer(None, str(unsent))
        except (httpx2.HTTPError, OSError) as error:
            return Answer(None, _trouble(error))

    async def _way_to(self, url: str, deadline: float) -> tuple[Place, Sequence[Address]]:
        """Return where *url* leads, as a name and as addresses that may be reached."""
        place = place_of(url)
        if place is None:
            raise _Unsent("unresolved")
        if place.address is not None:
            addresses: Sequence[Address] = [place.address]
        else:
            async with asyncio.timeout_at(deadline):
                addresses = await self._resolved(place)
        if not all(self._may_reach(address, place.scheme) for address in addresses):
            raise _Unsent("private")
        return place, addresses[:_MOST_ADDRESSES]

    async def _resolved(self, place: Place) -> Sequence[Address]:
        try:
            found = await self._network.resolve(place.host, place.port)
        except OSError:
            raise _Unsent("unresolved") from None
        if not found:
            raise _Unsent("unresolved")
        return found

    def _may_reach(self, address: Address, scheme: str) -> bool:
        """Tell whether a request may go there: in public only encrypted, in this network only where that is allowed."""
        return scheme == "https" if is_public(address) else self._allows_private

    async def _status(self, requests: Sequence[httpx2.Request], deadline: float) -> int:
        """Return the status of the first answer; the next address is tried where there is no connection to one."""
        *others, last = requests
        for request in others:
            try:
                return await self._ask(request, deadline)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue
        return await self._ask(last, deadline)

    async def _ask(self, request: httpx2.Request, deadline: float) -> int:
        """
        Send one request by a bare transport.

        A client around it would log the URL, whose path may hold a secret of the receiver's, and is there for what must
        not happen here: following redirects, asking proxies, keeping cookies.
        """
        async with self._network.connect() as transport:
            async with asyncio.timeout_at(deadline):
                response = await transport.handle_async_request(request)
            response.request = request
            await _drain(response, deadline)
            return response.status_code


def _requests(
    url: str, place: Place, addresses: Sequence[Address], body: bytes, headers: Mapping[str, str]
) -> list[httpx2.Request]:
    """Return the same request to each address, with the name for whoever answers there, and for its certificate."""
    timeout = httpx2.Timeout(None, connect=PATIENCE_S / len(addresses))
    extensions = {"timeout": timeout.as_dict()} | ({"sni_hostname": place.host} if place.address is None else {})
    sent = {"host": place.authority, "accept-encoding": "identity", "connection": "close", **headers}
    return [
        httpx2.Request(
            "POST",
            httpx2.URL(url).copy_with(host=str(address)),
            headers=sent,
            content=body,
            extensions=extensions,
        )
        for address in addresses
    ]


async def _drain(response: httpx2.Response, deadline: float) -> None:
    """Read what comes after the status, as far as it is short and quick, and throw it away."""
    until = min(deadline, asyncio.get_running_loop().time() + _DRAIN_S)
    with suppress(TimeoutError, httpx2.HTTPError):
        async with asyncio.timeout_at(until):
            heard = 0
            async for chunk in response.aiter_raw():
                heard += len(chunk)
                if heard > MAX_ANSWER_BYTES:
                    break
    await response.aclose()


def _trouble(error: BaseException) -> str:
    if isinstance(error, httpx2.TimeoutException):
        return "timeout"
    if isinstance(error, httpx2.ProtocolError):
        return "protocol"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return "tls"
        cause = cause.__cause__ or cause.__context__
    return "unreachable"
