"""The asynchronous verifier against a node over real HTTP: what it accepts and refuses, and whom it asks for it."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from keybearer import InvalidToken, Unavailable, Verifier
from keybearer.sdk.asking import MOST_AT_ONCE
from keybearer.wire.denial import Reason
from keybearer.wire.token_text import compose
from tests.sdk.conftest import HandClocks
from tests.sdk.fake_node import KEY, READ, WRITE, FakeNode, running_node

FETCH = "/verifier/fetch"
SYNC = "/verifier/sync"
GOOD = compose("kb", "pat", "live", "g" * 32)


async def until(what: Callable[[], bool], timeout_s: float = 30) -> None:
    """Wait until something is so."""
    begun = time.monotonic()
    while not what():
        assert time.monotonic() - begun < timeout_s, "it did not come about"
        await asyncio.sleep(0.002)


async def refused(verifying: Awaitable[object]) -> Reason:
    """Return why a token was not accepted."""
    with pytest.raises(InvalidToken) as caught:
        await verifying
    return caught.value.reason


async def test_a_token_is_fetched_once_and_known_from_then_on(node: FakeNode) -> None:
    text = node.issue(user_id=5, permissions=(READ, WRITE))
    async with Verifier(node.url, key=KEY) as verifier:
        await verifier.ready(30)
        for _ in range(3):
            principal = await verifier.verify(text)
            assert (principal.user_id, principal.team_id, principal.environment) == (5, 7, "live")
            assert principal.can(WRITE)
        assert node.count(FETCH) == 1


async def test_what_another_thread_was_told_meanwhile_is_not_asked_again(node: FakeNode) -> None:
    text = node.issue(user_id=5)
    async with Verifier(node.url, key=KEY) as verifier:
        await verifier.ready(30)
        await verifier.verify(text)
        seen = await verifier.ask(text)
        principal = seen.principal(verifier.now)
        assert principal.user_id == 5
        assert seen.good_until == verifier.valid_until(principal)
        assert node.count(FETCH) == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", Reason.MALFORMED, id="blank"),
        pytest.param(GOOD[:-1] + "x", Reason.MALFORMED, id="wrong checksum"),
        pytest.param(GOOD + "x", Reason.MALFORMED, id="one character more"),
        pytest.param(" " + GOOD, Reason.MALFORMED, id="a blank before it"),
        pytest.param(GOOD.upper(), Reason.MALFORMED, id="upper case"),
        pytest.param("x" * 1_000_000, Reason.MALFORMED, id="a million characters"),
        pytest.param("\ud800" * 50, Reason.MALFORMED, id="half a character"),
        pytest.param("kb_pat_live_" + "\u0661" * 38, Reason.MALFORMED, id="other digits"),
        pytest.param(compose("ok", "pat", "live", "g" * 32), Reason.MALFORMED, id="another provider's"),
        pytest.param(compose("kb", "ort", "live", "g" * 32), Reason.WRONG_KIND, id="a refresh token"),
        pytest.param(KEY, Reason.WRONG_KIND, id="a key"),
        pytest.param(compose("kb", "pat", "sandbox", "g" * 32), Reason.WRONG_ENVIRONMENT, id="the sandbox's"),
    ],
)
async def test_what_cannot_be_a_token_here_is_refused_without_asking(node: FakeNode, text: str, reason: Reason) -> None:
    async with Verifier(node.url, key=KEY) as verifier:
        assert await refused(verifier.verify(text)) is reason
        assert verifier.known(text) is None
        assert node.count(FETCH) == 0


async def test_an_unknown_token_is_asked_about_once_a_second_at_most(node: FakeNode, clocks: HandClocks) -> None:
    async with Verifier(node.url, key=KEY, surroundings=clocks.surroundings) as verifier:
        await verifier.ready(30)
        for _ in range(5):
            assert await refused(verifier.verify(GOOD)) is Reason.UNKNOWN
        assert node.count(FETCH) == 1
        clocks.slept_s += 1.1
        assert await refused(verifier.verify(GOOD)) is Reason.UNKNOWN
        assert node.count(FETCH) == 2


async def test_a_refusal_is_forgotten_with_the_next_event(node: FakeNode, clocks: HandClocks) -> None:
    text = node.issue()
    fetched = node.tokens.popitem()
    async with Verifier(node.url, key=KEY, surroundings=clocks.surroundings) as verifier:
        await verifier.ready(30)
        await refused(verifier.verify(text))
        node.tokens.update([fetched])
        node.say("user.changed", "user:1")
        before = verifier._lease.position
        await until(lambda: verifier._lease.position != before)
        assert (await verifier.verify(text)).user_id == 1


async def test_a_revoked_token_is_refused_as_soon_as_the_feed_says_so(node: FakeNode) -> None:
    node.lease_s, node.interval_s = 60.0, 20.0
    text, other = node.issue(user_id=1), node.issue(user_id=2)
    async with Verifier(node.url, key=KEY) as verifier:
        await verifier.ready(30)
        await verifier.verify(text)
        await verifier.verify(other)
        node.revoke(text)
        await until(lambda: verifier.known(text) is None, 15)  # it was told; it did not wait for its turn
        assert verifier.known(other) is not None
        assert await refused(verifier.verify(text)) is Reason.UNKNOWN


async def test_many_events_are_read_page_by_page(node: FakeNode) -> None:
    text = node.issue(user_id=1)
    async with Verifier(node.url, key=KEY) as verifier:
        await verifier.ready(30)
        await verifier.verify(text)
        for user in range(2, 30):
            node.say("user.changed", f"user:{user}")
        await until(lambda: verifier._lease.position == node.head)
        assert verifier.known(text) is not None
        assert node.count(FETCH) == 1


async def test_of_many_who_ask_about_one_token_one_question_goes_out(node: FakeNode) -> None:
    text = node.issue()
    node.delay_s = 0.05
    async with Verifier(node.url, key=KEY) as verifier:
        principals = await asyncio.gather(*(verifier.verify(text) for _ in range(200)))
        assert {principal.user_id for principal in principals} == {1}
        assert node.count(FETCH) == 1


async def test_who_gives_up_waiting_does_not_end_it_for_the_others(node: FakeNode) -> None:
    text = node.issue()
    node.delay_s = 0.1
    async with Verifier(node.url, key=KEY) as verifier:
        first = asyncio.create_task(verifier.verify(text))
        second = asyncio.create_task(verifier.verify(text))
        await asyncio.sleep(0.02)
        first.cancel()
        assert (await second).user_id == 1
        assert first.cancelled()


async def test_few_questions_about_tokens_go_out_at_once(node: FakeNode) -> None:
    texts = [node.issue(user_id=user) for user in range(100)]
    node.delay_s = 0.02
    async with Verifier(node.url, key=KEY) as verifier:
        await asyncio.gather(*(verifier.verify(text) for text in texts))
        assert 1 < node.most_at_once <= MOST_AT_ONCE


async def test_it_is_ready_after_the_first_word_of_the_server_only(node: FakeNode) -> None:
    node.fault = "broken"
    verifier = Verifier(node.url, key=KEY)
    assert not verifier.is_ready
    async with verifier:
        await until(lambda: node.count(SYNC) > 1)  # so the first answer was taken in
        with pytest.raises(Unavailable, match="500"):
            await verifier.ready(0.2)
        node.fault = None
        await verifier.ready(30)
        states = [verifier.is_ready]
    assert [*states, verifier.is_ready] == [True, False]


@pytest.mark.parametrize("fault", ["broken", "garbled", "no key", "replaying"])
async def test_a_server_that_does_not_answer_well_is_503_and_never_401(node: FakeNode, fault: str) -> None:
    text = node.issue()
    node.fault = fault
    async with Verifier(node.url, key=KEY) as verifier:
        with pytest.raises(Unavailable) as caught:
            await verifier.verify(text)
        assert caught.value.retry_after_s >= 1


async def test_without_a_server_it_is_503_at_once_after_a_while() -> None:
    async with Verifier("http://127.0.0.1:1", key=KEY) as verifier:
        await until(lambda: verifier._session is not None and verifier._session._driver.is_cut_off)
        with pytest.raises(Unavailable, match="no Keybearer server answers"):
            await verifier.verify(GOOD)


async def test_a_lease_that_is_out_is_made_up_for_by_asking(node: FakeNode, clocks: HandClocks) -> None:
    text = node.issue()
    async with Verifier(node.url, key=KEY, surroundings=clocks.surroundings) as verifier:
        await verifier.ready(30)
        await verifier.verify(text)
        clocks.slept_s += 8.1  # a machine that slept
        assert verifier.known(text) is None
        assert not verifier.is_ready
        assert (await verifier.verify(text)).user_id == 1
        assert node.count(FETCH) == 2


async def test_a_lease_that_is_out_with_no_server_is_503(node: FakeNode, clocks: HandClocks) -> None:
    text = node.issue()
    async with Verifier(node.url, key=KEY, surroundings=clocks.surroundings) as verifier:
        await verifier.ready(30)
        await verifier.verify(text)
        node.fault = "broken"
        clocks.slept_s += 7.0
        assert (await verifier.verify(text)).user_id == 1  # within the lease nobody need be asked
        clocks.slept_s += 1.1
        with pytest.raises(Unavailable):
            await verifier.verify(text)
        node.fault = None
        await verifier.ready(30)
        assert (await verifier.verify(text)).user_id == 1


async def test_a_replayed_answer_renews_no_lease(node: FakeNode, clocks: HandClocks) -> None:
    async with Verifier(node.url, key=KEY, surroundings=clocks.surroundings) as verifier:
        await verifier.ready(30)
        node.fault = "replaying"
        asked = node.count(SYNC)
        await until(lambda: node.count(SYNC) > asked + 1)
        fresh = verifier._lease.fresh
        asked = node.count(SYNC)
        await until(lambda: node.count(SYNC) > asked + 2)
        assert verifier._lease.fresh == fresh


async def test_the_node_says_how_long_a_lease_is(clocks: HandClocks) -> None:
    with running_node(lease_s=3.0, interval_s=0.5) as node:
        text = node.issue()
        async with Verifier(node.url, key=KEY, surroundings=clocks.surroundings) as verifier:
            await verifier.ready(30)
            principal = await verifier.verify(text)
            assert verifier.recheck_s == 1.5
            assert verifier.now() < verifier.valid_until(principal) <= verifier.now() + 3.0
            clocks.slept_s += 3.1
            assert verifier.known(text) is None


async def test_clocks_that_part_end_the_lease(node: FakeNode, clocks: HandClocks) -> None:
    async with Verifier(node.url, key=KEY, surroundings=clocks.surroundings) as verifier:
        await verifier.ready(30)
        fresh = verifier._lease.fresh
        clocks.set_by_s += 5  # the machine was put back to an earlier state, and its wall clock corrected
        await until(lambda: verifier._lease.fresh != fresh)
        await verifier.ready(30)  # and a new one begins
        assert verifier._lease.fresh > fresh


async def test_another_node_is_asked_when_one_does_not_answer() -> None:
    with running_node() as one, running_node(log=[], tokens={}) as other:
        text = one.issue()
        other.tokens = one.tokens
        async with Verifier([one.url, other.url], key=KEY) as verifier:
            await verifier.ready(30)
            for away, present in ((one, other), (other, one)):
                away.fault, present.fault = "broken", None
                asked = present.count(SYNC)
                await until(lambda asked=asked, present=present: present.count(SYNC) > asked)  # type: ignore[misc]
                assert (await verifier.verify(text)).user_id == 1
            one.fault = other.fault = None


async def test_a_closed_verifier_accepts_nothing(node: FakeNode) -> None:
    text = node.issue()
    async with Verifier(node.url, key=KEY) as verifier:
        await verifier.verify(text)
    with pytest.raises(Unavailable, match="closed"):
        await verifier.verify(text)


async def test_whoever_waits_for_a_verifier_that_is_closed_is_told_so() -> None:
    verifier = Verifier("http://127.0.0.1:1", key=KEY)
    waiting = asyncio.create_task(verifier.ready())
    await asyncio.sleep(0)
    await verifier.close()
    with pytest.raises(Unavailable, match="closed"):
        await asyncio.wait_for(waiting, 30)


async def test_it_starts_by_itself(node: FakeNode) -> None:
    text = node.issue()
    verifier = Verifier(node.url, key=KEY)
    assert (await verifier.verify(text)).user_id == 1
    await verifier.ready(30)
    await verifier.close()
