"""Follows the feed: puts the driver's questions to the nodes while the verifier runs."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from keybearer.sdk.driver import Driver
from keybearer.sdk.line import Line
from keybearer.sdk.transport import Transport, Unanswered

_LOG: Final = logging.getLogger("keybearer")
_AFTER_A_FAULT_S: Final = 1.0


async def follow(driver: Driver, transport: Transport | Line, tell: Callable[[], None]) -> None:
    """
    Ask, take in, wait, and so on without an end.

    Args:
        tell: is called after each answer and each failure.
    """
    trouble: str | None = None
    while True:
        pause = await _turn(driver, transport)
        if (driver.trouble is None) != (trouble is None):
            if driver.trouble is None:
                _LOG.info("the verifier is in touch with its server again")
            else:
                _LOG.warning("the verifier has lost touch with its server: %s", driver.trouble)
        trouble = driver.trouble
        tell()
        await asyncio.sleep(pause)


async def _turn(driver: Driver, transport: Transport | Line) -> float:
    """Put one question; return the seconds until the next."""
    try:
        return driver.answered(await transport.post(driver.question()))
    except Unanswered as error:
        return driver.unanswered(str(error)) if error.is_silent else driver.refused(str(error))
    except Exception:  # noqa: BLE001 - an edge: if this loop ended, every lease would run out, and nobody would know why
        _LOG.exception("the verifier failed at one question; it goes on with the next")
        return _AFTER_A_FAULT_S
