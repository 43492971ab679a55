"""An app and its users, for the tests that each RFC's rules get."""

import pytest

from tests.support.house import House
from tests.support.oauth import Play, set_play


@pytest.fixture
async def play(house: House) -> Play:
    """Have an app and its users."""
    return await set_play(house)
