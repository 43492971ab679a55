"""What a webhook must look like before it is kept."""

from collections.abc import Sequence
from typing import Final

from keybearer.server import refusals
from keybearer.server.rules import webhook_url
from keybearer.server.rules.webhook_events import chosen_patterns

MAX_WEBHOOKS: Final = 10


def details_of(url: str, events: Sequence[str], *, allows_private: bool) -> tuple[str, tuple[str, ...]]:
    """
    Return a webhook's URL and patterns as they are kept.

    Args:
        url: as typed.
        events: as chosen: names of events, ``category.*``, ``*``.
        allows_private: whether it may lead to addresses of this network.

    Raises:
        Refusal: ``invalid``, with everything that is wrong, in the order of the form.
    """
    url = url.strip()
    wrong = webhook_url.problem(url, allows_private=allows_private)
    said = [refusals.invalid("url", wrong)] if wrong else []
    patterns = chosen_patterns(events)
    if patterns is None:
        said.append(refusals.invalid("events", "Choose at least one of these events."))
    if said or patterns is None:
        raise refusals.all_invalid(said)
    return url, patterns
