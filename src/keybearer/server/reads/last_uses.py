"""From where tokens and apps were last used, by their newest records in the activity log."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from keybearer.server.reads.activity import Sight, activity_page
from keybearer.server.records import ActivityFilter
from keybearer.server.store.database import Reader

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class LastUse:
    """The newest call: where it came from and what program made it; None where that was erased."""

    address: str | None
    agent: str | None


async def last_uses(reader: Reader, wanted: Mapping[K, ActivityFilter]) -> dict[K, LastUse]:
    """
    Return the newest call of each of these, as far as one is recorded; the viewer may see all that they ask for.

    It is looked up, not kept beside the token: what is erased from the log is gone from here as well.
    """
    found: dict[K, LastUse] = {}
    for key, each in wanted.items():
        calls = replace(each, action="api.called")
        page = await activity_page(reader, Sight(each.team_id, None), calls, None, 1)
        if page.items:
            (call,) = page.items
            found[key] = LastUse(call.address, call.agent)
    return found
