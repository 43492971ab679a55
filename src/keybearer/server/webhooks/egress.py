"""Requests to URLs that users have given: only to public addresses, and only to the address that was checked."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from keybearer.server.records import Answer
from keybearer.server.rules.public_addresses import is_public
from keybearer.server.rules.webhook_url import Place, place_of
from keybearer.server.webhooks.exchange import Connection, NotHttp, connected, status_of
from keybearer.server.webhooks.names import Address, Names, Resolver, by_the_system

PATIENCE_S: Final = 5.0  # for all of it: the name, the connection, TLS, the answer
_MOST_ADDRESSES: Final = 3

# Why there was no answer, and what whoever manages the webhook is told.
TROUBLES: Final = {
    "timeout": f"No answer within {PATIENCE_S:g} seconds",
    "unresolved": "The host name could not be resolved",
    "private": "The host's address is not public",
    "unreachable": "No connection to the host",
    "tls": "No trusted certificate",
    "protocol": "The answer was not HTTP",
}


@dataclass(frozen=True, slots=True)
class Network:
    """
    The network as far as the server itself sends requests; tests replace it.

    Args:
        resolve: tells the addresses of a name; OSError if there are none.
        connect: connects to an address, for one request: a connection kept open would be another host's tomorrow.
    """

    resolve: Resolver = by_the_system
    connect: Callable[[Address, Place], Awaitable[Connection]] = connected


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
        self._names = Names(network.resolve)
        self._connect = network.connect
        self._allows_private = allows_private
        self._patience_s = patience_s

    async def post(self, team_id: int, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """
        Post *body* to *url*; failures are answers too, and redirects are not followed.

        The name is resolved once, each of its addresses is checked, and the connection goes to one of them: a second
        look-up could return another address. The certificate must still be the name's.

        Args:
            team_id: whose URL it is.
        """
        deadline = asyncio.get_running_loop().time() + self._patience_s
        place = place_of(url)
        if place is None:
            return Answer(None, "unresolved")
        try:
            async with asyncio.timeout_at(deadline):
                addresses = await self._addresses(place, team_id)
                connection = await self._connection(place, addresses)
            return Answer(await status_of(connection, place, body, headers, deadline))
        except TimeoutError:
            return Answer(None, "timeout")
        except _Unsent as unsent:
            return Answer(None, str(unsent))
        except (NotHttp, OSError) as error:
            return Answer(None, _trouble(error))

    async def _addresses(self, place: Place, team_id: int) -> Sequence[Address]:
        """Return where *place* is, as addresses that may be reached."""
        try:
            named = () if place.address is None else (place.address,)
            addresses = named or await self._names.addresses(place.host, place.port, team_id)
        except OSError:
            raise _Unsent("unresolved") from None
        if not addresses:
            raise _Unsent("unresolved")
        if not all(self._may_reach(address, place.scheme) for address in addresses):
            raise _Unsent("private")
        return addresses[:_MOST_ADDRESSES]

    def _may_reach(self, address: Address, scheme: str) -> bool:
        """Tell whether a request may go there: in public only encrypted, in this network only where that is allowed."""
        return scheme == "https" if is_public(address) else self._allows_private

    async def _connection(self, place: Place, addresses: Sequence[Address]) -> Connection:
        """Connect to the first of *addresses* where that succeeds; each has its share of the time."""
        *others, last = addresses
        for address in others:
            try:
                async with asyncio.timeout(self._patience_s / len(addresses)):
                    return await self._connect(address, place)
            except OSError:  # no time left is one
                continue
        return await self._connect(last, place)


def _trouble(error: NotHttp | OSError) -> str:
    if isinstance(error, NotHttp):
        return "protocol"
    return "tls" if isinstance(error, ssl.SSLError) else "unreachable"
