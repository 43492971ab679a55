"""The proxy that breaks connections carries them well while it is not told to, and breaks them as it is told."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from random import Random

import pytest

from tests.support.chaos import ChaosProxy, chaos_proxy, losing

LONG_S = 30.0
A_WHILE_S = 0.2

Talk = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def proxy() -> AsyncIterator[ChaosProxy]:
    """Have one before a server whose answer to the n-th question is n."""
    numbers = itertools.count(1)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"answer %d." % next(numbers))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with chaos_proxy(server.sockets[0].getsockname()) as running:
        yield running
    server.close()


@asynccontextmanager
async def talking(proxy: ChaosProxy) -> AsyncIterator[Talk]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    with closing(writer):
        yield reader, writer


async def ask(talk: Talk) -> bytes:
    reader, writer = talk
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    async with asyncio.timeout(LONG_S):
        return await reader.readuntil(b".")


async def test_it_carries_questions_and_answers(proxy: ChaosProxy) -> None:
    async with talking(proxy) as talk:
        assert [await ask(talk), await ask(talk)] == [b"answer 1.", b"answer 2."]
    assert proxy.carried == 1


async def test_what_is_stalled_arrives_when_it_is_healed(proxy: ChaosProxy) -> None:
    async with talking(proxy) as talk:
        assert await ask(talk) == b"answer 1."
        for way in (proxy.there, proxy.back):
            way.stall()
            asking = asyncio.create_task(ask(talk))
            await asyncio.sleep(A_WHILE_S)
            assert not asking.done()
            proxy.heal()
            assert (await asking).startswith(b"answer ")


async def test_a_reset_breaks_connections_off_and_refusing_lets_none_begin(proxy: ChaosProxy) -> None:
    async with talking(proxy) as talk:
        await ask(talk)
        proxy.reset()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await ask(talk)
    proxy.is_refusing = True
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        async with talking(proxy) as talk:
            await ask(talk)
    assert proxy.carried == 1


async def test_a_frozen_connection_says_nothing_any_more_and_a_new_one_is_good(proxy: ChaosProxy) -> None:
    async with talking(proxy) as talk, talking(proxy) as other:
        await ask(talk)
        proxy.freeze()
        asking = asyncio.create_task(ask(talk))
        async with talking(proxy) as another:
            assert await ask(another) == b"answer 2."
        proxy.heal()
        await asyncio.sleep(A_WHILE_S)
        assert not asking.done()
        asking.cancel()
        assert not other[0].at_eof()


async def test_an_answer_is_cut_short(proxy: ChaosProxy) -> None:
    proxy.back.bytes_left = 4
    async with talking(proxy) as talk:
        with pytest.raises(asyncio.IncompleteReadError) as caught:
            await ask(talk)
    assert caught.value.partial == b"answ"


async def test_an_answer_comes_twice_or_one_from_before_comes_again(proxy: ChaosProxy) -> None:
    async with talking(proxy) as talk:
        proxy.back.copies = 2
        assert await ask(talk) == b"answer 1."
        assert await talk[0].readuntil(b".") == b"answer 1."
        proxy.heal()
        proxy.is_replaying = True
        assert [await ask(talk), await ask(talk)] == [b"answer 1.", b"answer 1."]
        proxy.heal()
        assert await ask(talk) == b"answer 2."


def test_losses_become_delays() -> None:
    delay_s = losing(0.3, Random(1))  # noqa: S311 - no secret
    assert {round(delay_s(), 1) for _ in range(200)} >= {0.0, 0.2, 0.6}
