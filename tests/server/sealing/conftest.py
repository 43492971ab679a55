"""A database whose activity log is sealed by hand, on both databases."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.clock import HandClock
from tests.support.sealing import Sealed, sealed


@pytest.fixture
async def rig(database_url: str, tmp_path: Path, clock: HandClock) -> AsyncIterator[Sealed]:
    """Open a fresh database, under the clock for the hand."""
    async with sealed(database_url, tmp_path, clock) as opened_rig:
        yield opened_rig
