"""From the call that revokes a token until none of many verifiers knows it any more, over real HTTP."""

import asyncio
import contextlib
import gc
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Final

import httpx2

from bench.measures import Figure, Pace
from bench.servers import keybearer
from bench.stage import set_stage, sqlite_database
from keybearer import Unavailable, Verifier

MEDIAN_GOAL_MS: Final = 20
P99_GOAL_MS: Final = 100
_PATIENCE_S: Final = 90.0


async def measure(folder: Path, pace: Pace) -> Figure:
    """Revoke one token after the other while every verifier holds a question open."""
    url = await sqlite_database(folder / "revocation")
    stage = await set_stage(folder, url, 0, token_count=pace.revocations)
    with keybearer(folder, url) as server:
        address = f"http://127.0.0.1:{server.port}"
        async with (
            _verifiers(address, stage.key, pace.verifiers) as verifiers,
            httpx2.AsyncClient(base_url=address) as person,
        ):
            gc.collect()
            gc.freeze()  # the server, which only this process has loaded beside its verifiers
            took_ms = sorted([await _revoke(person, verifiers, token) for token in stage.more_tokens])
            gc.unfreeze()
    p99 = took_ms[min(len(took_ms) - 1, int(0.99 * len(took_ms)))]
    return Figure(
        f"Revocation, from the call to the last of {pace.verifiers} verifiers, {len(took_ms)} times",
        notes=(
            f"median {median(took_ms):6.1f} ms (goal {MEDIAN_GOAL_MS})",
            f"p99    {p99:6.1f} ms (goal {P99_GOAL_MS})",
            f"max    {took_ms[-1]:6.1f} ms",
            "All verifiers share one process and one core, the server has the other.",
        ),
    )


@asynccontextmanager
async def _verifiers(address: str, key: str, count: int) -> AsyncIterator[list[Verifier]]:
    async with AsyncExitStack() as running:
        made = [Verifier(address, key=key) for _ in range(count)]
        for verifier in made:
            await running.enter_async_context(verifier)
        for verifier in made:
            await verifier.ready(_PATIENCE_S)
        yield made


async def _revoke(person: httpx2.AsyncClient, verifiers: list[Verifier], token: str) -> float:
    """Have every verifier know the token, revoke it; return milliseconds until none of them knows it any more."""
    await asyncio.gather(*(_learn(verifier, token) for verifier in verifiers))
    began = time.perf_counter()
    answer = await person.delete("/api/v2/token", headers={"authorization": f"Bearer {token}"})
    answer.raise_for_status()
    while any(verifier.known(token) is not None for verifier in verifiers):  # noqa: ASYNC110 - a mirror tells nobody
        await asyncio.sleep(0.0005)
    return (time.perf_counter() - began) * 1000


async def _learn(verifier: Verifier, token: str) -> None:
    """Have a verifier know the token; on a crowded machine that may take more than one question."""
    async with asyncio.timeout(_PATIENCE_S):
        while verifier.known(token) is None:
            with contextlib.suppress(Unavailable):
                await verifier.verify(token)
