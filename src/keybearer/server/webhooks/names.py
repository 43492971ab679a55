"""The addresses of names, as the system finds them: looked up beside the event loop, by turns of the teams."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from threading import Thread
from typing import Final
from weakref import WeakValueDictionary

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[Address]]]

AT_ONCE: Final = 32
AT_ONCE_OF_TEAM: Final = 4


async def by_the_system(host: str, port: int) -> Sequence[Address]:
    """
    Ask the system.

    Its threads are daemons: where nobody answers for a name, one waits for up to a minute, and the process must not end
    later for that.

    Raises:
        OSError: there is no such name.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[Sequence[Address]] = loop.create_future()

    def tell(addresses: Sequence[Address], error: Exception | None) -> None:
        if found.done():
            return  # whoever asked has gone
        if error is None:
            found.set_result(addresses)
        else:
            found.set_exception(error)

    def look() -> None:
        addresses: Sequence[Address] = ()
        failure: Exception | None = None
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            addresses = tuple(dict.fromkeys(ip_address(place[0]) for *_, place in answers))
        except (OSError, ValueError) as error:  # ValueError: a name that no DNS could hold
            failure = error if isinstance(error, OSError) else OSError(str(error))
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(tell, addresses, failure)

    Thread(target=look, name="keybearer-name", daemon=True).start()
    return await found


class Names:
    """
    Looks names up; at most a few for one team, so that names for which nobody answers hold up nobody else's.

    A look-up that nobody waits for any more keeps its place until it ends: until then the system is busy with it.
    """

    def __init__(self, resolve: Resolver) -> None:
        self._resolve = resolve
        self._places = asyncio.Semaphore(AT_ONCE)
        self._of_teams: WeakValueDictionary[int, asyncio.Semaphore] = WeakValueDictionary()
        self._under_way: set[asyncio.Task[Sequence[Address]]] = set()

    async def addresses(self, host: str, port: int, team_id: int) -> Sequence[Address]:
        """
        Return the addresses of *host*, looked up for this team.

        Raises:
            OSError: there is no such name.
        """
        places = self._of_teams.get(team_id)
        if places is None:
            places = self._of_teams[team_id] = asyncio.Semaphore(AT_ONCE_OF_TEAM)
        await places.acquire()
        looking = asyncio.create_task(self._look(host, port))
        self._under_way.add(looking)
        looking.add_done_callback(lambda done: self._ended(done, places))
        return await asyncio.shield(looking)

    async def _look(self, host: str, port: int) -> Sequence[Address]:
        async with self._places:
            return await self._resolve(host, port)

    def _ended(self, looking: asyncio.Task[Sequence[Address]], places: asyncio.Semaphore) -> None:
        """Give the place back, and look at the exception, in case whoever asked has gone."""
        self._under_way.discard(looking)
        places.release()
        if not looking.cancelled():
            looking.exception()
