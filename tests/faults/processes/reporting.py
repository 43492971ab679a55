"""
F2: an API that reports its calls is cut off, killed in the middle of one, and started again, time after time.

As a program it takes so many calls, and writes the request id of each before it is handled and once it may be answered:
`began ID`, `answered ID`.
"""

import asyncio
import contextlib
import logging
import secrets
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from pathlib import Path
from typing import Final

from sqlalchemy import select

from keybearer import Unavailable, Verifier
from keybearer.reporting.asked import Asked
from keybearer.reporting.reporter import ActivityLog
from keybearer.server.store.database import open_database
from keybearer.server.store.tables import activity_records as records
from tests.faults.processes.programs import PATIENCE_S
from tests.faults.processes.rig import LIVING, Rig

_LIVES: Final = 4
_MANY: Final = 1_000_000
_ROOT: Final = Path(__file__).parents[3]


async def reports_arrive(rig: Rig, folder: Path) -> int:
    """
    Let an API live and die four times, and once more only to ship what is left; return how many calls it answered.

    Raises:
        AssertionError: one of them is recorded twice, or never, or a call is that never began.
    """
    began, answered = list[str](), list[str]()
    for _ in range(_LIVES):
        await _live(rig, folder, rig.random.randint(20, 200), (began, answered))
    heir = await _started(rig, folder, 0)
    try:
        recorded = await _recorded(rig.store.url, _route(folder), set(answered))
    finally:
        heir.kill()
        await heir.wait()
    assert max(recorded.values()) == 1, "a call is recorded twice"
    assert recorded.keys() >= set(answered), "an answered call is not recorded"
    assert recorded.keys() <= set(began), "a call is recorded that never began"
    return len(answered)


async def _live(rig: Rig, folder: Path, lines: int, told: tuple[list[str], list[str]]) -> None:
    """Run the program until it has said so many lines, the last ones cut off; then kill it."""
    process = await _started(rig, folder, _MANY)
    assert process.stdout is not None
    said = [await asyncio.wait_for(process.stdout.readline(), PATIENCE_S) for _ in range(lines)]
    rig.verifiers[0].proxy.stall()
    said += [await asyncio.wait_for(process.stdout.readline(), PATIENCE_S) for _ in range(lines // 2)]
    process.kill()
    rig.verifiers[0].proxy.heal()
    said += (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()
    for word, request in (line.decode().split() for line in said if line.endswith(b"\n")):
        told[word == "answered"].append(request)


async def _started(rig: Rig, folder: Path, calls: int) -> Process:
    verifier = rig.verifiers[0]
    words = (verifier.proxy.url, rig.key, verifier.tokens[LIVING], str(folder), str(calls))
    program = [sys.executable, "-m", "tests.faults.processes.reporting", *words]
    return await asyncio.create_subprocess_exec(*program, cwd=_ROOT, stdout=PIPE)


async def _recorded(url: str, route: str, wanted: set[str]) -> Counter[str]:
    """Wait until the calls are recorded, and return how often each is."""
    database = await open_database(url)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                rows = await database.many(select(records.c.request_id).where(records.c.route == route))
                found = Counter(row["request_id"] for row in rows)
                if found.keys() >= wanted:
                    return found
                await asyncio.sleep(0.2)
    finally:
        await database.close()


async def main(url: str, key: str, token: str, folder: str, calls: str) -> None:
    """Take so many calls, and ship what there is without an end."""
    logging.disable(logging.CRITICAL)
    async with Verifier(url, key=key).reporting(ActivityLog(folder)) as verifier:
        for _ in range(int(calls)):
            with contextlib.suppress(Unavailable):
                await _call(verifier, token, _route(Path(folder)))
            await asyncio.sleep(0.002)
        await asyncio.Event().wait()


async def _call(verifier: Verifier, token: str, route: str) -> None:
    principal = await verifier.verify(token)
    request, reporter = secrets.token_hex(8), verifier.reporter
    assert reporter is not None
    _say("began", request)
    call = reporter.begin(principal.bearer, Asked("GET", route, request))
    await reporter.kept(call.finish("done", 200))
    _say("answered", request)


def _route(folder: Path) -> str:
    return f"/{folder.name}"


def _say(word: str, request: str) -> None:
    sys.stdout.write(f"{word} {request}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
