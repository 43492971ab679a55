"""What the log says of a verifier's touch with its server: each kind of trouble once, and its end."""

import logging

import pytest

from keybearer import Verifier
from tests.sdk.fake_node import KEY, FakeNode
from tests.sdk.test_verifier import until


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the verifier's own logger has said."""
    return [each.getMessage() for each in caplog.records if each.name == "keybearer"]


async def test_a_server_that_was_away_and_then_refuses_the_key_is_told_of_for_both(
    node: FakeNode, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="keybearer")
    node.fault = "silent"
    async with Verifier(node.url, key=KEY) as verifier:
        await until(lambda: len(told(caplog)) == 1)
        node.fault = "no key"
        await until(lambda: len(told(caplog)) == 2)
        node.fault = "broken"  # a node that answers wrongly has been told of
        asked = node.count("/verifier/sync")
        await until(lambda: node.count("/verifier/sync") > asked + 1)
        node.fault = None
        await verifier.ready(30)
        await until(lambda: len(told(caplog)) == 3)
    away, refused, again = told(caplog)
    assert "does not answer" in away
    assert "does not accept the resource server's key" in refused
    assert again == "the verifier is in touch with its server again"
