"""Waiting for an event, and not for ever."""

import asyncio


async def is_set_within(event: asyncio.Event, at_most_s: float) -> bool:
    """Wait until *event* is set; False if it is not after so many seconds."""
    try:
        async with asyncio.timeout(at_most_s):
            await event.wait()
    except TimeoutError:
        return False
    return True
