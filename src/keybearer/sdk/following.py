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
    told: set[bool] = set()
    while True:
        pause = await _turn(driver, transport)
        _log_trouble(driver, told)
        tell()
        await asyncio.sleep(pause)


def _log_trouble(driver: Driver, told: set[bool]) -> None:
    """
    Log once when touch is lost, once more if a node that was silent now answers wrongly, or the other way, and the end.

    A server that comes up and then refuses the key must not be said to be away for as long as that lasts.

    Args:
        told: which of the two kinds of trouble were logged since all was well: `Driver.is_unheard`.
    """
    if driver.trouble is None:
        if told:
            _LOG.info("the verifier is in touch with its server again")
        told.clear()
    elif driver.is_unheard not in told:
        told.add(driver.is_unheard)
        _LOG.warning("the verifier has lost touch with its server: %s", driver.trouble)


async def _turn(driver: Driver, transport: Transport | Line) -> float:
    """Put one question; return the seconds until the next."""
    try:
        return driver.answered(await transport.post(driver.question()))
    except Unanswered as error:
        return driver.unanswered(str(error)) if error.is_silent else driver.refused(str(error))
    except Exception:  # noqa: BLE001 - an edge: if this loop ended, every lease would run out, and nobody would know why
        _LOG.exception("the verifier failed at one question; it goes on with the next")
        return max(_AFTER_A_FAULT_S, driver.refused("the verifier failed at an answer"))  # of another node, perhaps not
