"""J3: answers to sync that do not fit together, over real HTTP: none renews a lease, and none stops the verifier."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from keybearer import InvalidToken, Verifier
from tests.sdk.fake_node import KEY, FakeNode, running_node

Said = dict[str, Any]

OTHER_HASH = "ab" * 32
MORE_QUESTIONS = 4
LONG_S = 60.0
EPOCHS = itertools.count(2)


def events_after(said: Said, *steps: int, kind: str = "user.changed", subject: str = "user:9") -> Said:
    """Return the answer with events in it that are not bound to what came before."""
    seq = said["head"]["seq"]
    events = [[seq + step, kind, subject, 1, OTHER_HASH] for step in steps]
    return said | {"reset": False, "events": events, "head": said["head"] | {"seq": seq + max(steps)}}


SPOILT: dict[str, Callable[[Said], Said]] = {
    "a wrong hash": lambda said: events_after(said, 1),
    "a gap": lambda said: events_after(said, 2),
    "the same twice": lambda said: events_after(said, 1, 1),
    "the wrong order": lambda said: events_after(said, 2, 1),
    "blank fields": lambda said: events_after(said, 1, kind="", subject=""),
    "no event where one belongs": lambda said: said | {"reset": False, "events": [{}]},
    "an event of other types": lambda said: said | {"reset": False, "events": [["1", 2, 3, "4", None]]},
    "more than any answer has": lambda said: said | {"reset": False, "events": [[1, "x" * 1_000, "", 0, ""]] * 5_000},
    "a head that is behind": lambda said: said | {"reset": False, "events": [], "head": said["head"] | {"seq": 0}},
    "another epoch, and no reset": lambda said: (
        said | {"reset": False, "events": [], "head": said["head"] | {"epoch": f"e{next(EPOCHS)}"}}
    ),
    "a head that it does not lead to": lambda said: (
        said | {"reset": False, "events": [], "head": said["head"] | {"hash": OTHER_HASH}}
    ),
    "a negative age": lambda said: said | {"age": -60.0},
    "an age that is no number": lambda said: said | {"age": "none"},
    "an endless lease": lambda said: said | {"lease": 1e300},
}


async def more_questions(node: FakeNode) -> None:
    asked = node.count("/verifier/sync")
    async with asyncio.timeout(LONG_S):
        while node.count("/verifier/sync") < asked + MORE_QUESTIONS:  # noqa: ASYNC110 - it is asked in another thread
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
async def test_j3_a_spoilt_answer_renews_nothing_and_the_next_good_one_does(spoil: Callable[[Said], Said]) -> None:
    with running_node(interval_s=0.1) as node:
        token = node.issue()
        node.say("user.changed", "user:5")
        async with Verifier(node.url, key=KEY) as verifier:
            await verifier.ready(LONG_S)
            principal = await verifier.verify(token)
            node.spoil = spoil
            await more_questions(node)  # those that were under way are over
            believed_until = verifier.valid_until(principal)
            await more_questions(node)
            assert verifier.valid_until(principal) <= believed_until
            node.spoil = None
            await verifier.ready(LONG_S)
            while verifier.valid_until(await verifier.verify(token)) <= believed_until:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_j3_epochs_that_come_and_go_are_followed_and_revive_nothing() -> None:
    with running_node(interval_s=0.1) as node:
        good, ended = node.issue(1), node.issue(2)
        async with Verifier(node.url, key=KEY) as verifier:
            await verifier.ready(LONG_S)
            held = node.tokens.copy()
            await verifier.verify(ended)
            node.revoke(ended)
            while verifier.known(ended) is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            node.tokens |= held  # a restored node, which knows of no end
            for epoch in ("e2", "e1", "e2", "e3"):
                node.epoch = epoch
                await more_questions(node)
                assert (await verifier.verify(good)).user_id == 1
                with pytest.raises(InvalidToken):
                    await verifier.verify(ended)
