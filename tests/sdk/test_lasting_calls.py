"""A call that lasts longer than a decision does ends with its token."""

import asyncio

import pytest

from keybearer import Forbidden, InvalidToken, Verifier
from tests.sdk.fake_node import KEY, READ, WRITE, FakeNode


async def test_a_call_that_lasts_ends_with_its_token(node: FakeNode) -> None:
    node.lease_s, node.interval_s = 3.0, 0.1
    text = node.issue()
    async with Verifier(node.url, key=KEY) as verifier:
        await verifier.ready(30)

        async def last() -> None:
            async with verifier.while_valid(text, READ) as principal:
                assert principal.user_id == 1
                node.revoke(text)
                await asyncio.sleep(60)

        with pytest.raises(InvalidToken):
            await last()


async def test_a_call_that_lasts_goes_on_while_its_token_is_good(node: FakeNode) -> None:
    node.lease_s, node.interval_s = 3.0, 0.1
    text = node.issue()
    async with Verifier(node.url, key=KEY) as verifier:
        await verifier.ready(30)
        with pytest.raises(Forbidden):
            async with verifier.while_valid(text, WRITE):
                pass
        async with verifier.while_valid(text, READ):
            await asyncio.sleep(1.1 * verifier.recheck_s)
