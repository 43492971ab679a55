"""What webhooks tell of, and the patterns by which a subscription chooses: a name, ``category.*``, or ``*``."""

from collections.abc import Sequence
from typing import Final

from keybearer.server.activities import ACTIONS

CATEGORIES: Final = {
    "token": "Tokens",
    "client": "API clients",
    "grant": "Apps let in and cut off",
    "member": "Members",
}
EVERYTHING: Final = "*"
TEST: Final = "webhook.test"

# Who refuses an app lets it into no team, so there is no team to tell.
_OF_NO_TEAM: Final = frozenset({"grant.denied"})
EVENTS: Final = {
    name: words
    for category in CATEGORIES
    for name, words in ACTIONS.items()
    if name.startswith(f"{category}.") and name not in _OF_NO_TEAM
}
PATTERNS: Final = (EVERYTHING, *(f"{category}.*" for category in CATEGORIES), *EVENTS)


def is_told(patterns: Sequence[str], event: str) -> bool:
    """Tell whether a subscription with these patterns is told of *event*, one of ``EVENTS``."""
    return any(pattern in {EVERYTHING, f"{event.partition('.')[0]}.*", event} for pattern in patterns)


def chosen_patterns(asked: Sequence[str]) -> tuple[str, ...] | None:
    """
    Return what a person chose, in one order, without what a wider pattern covers.

    Returns:
        None: nothing, or something that is no pattern of ours. Empty never means all.
    """
    if not asked or not set(asked) <= set(PATTERNS):
        return None
    return tuple(one for one in PATTERNS if one in asked and not _is_covered(one, asked))


def _is_covered(pattern: str, asked: Sequence[str]) -> bool:
    wider = {EVERYTHING, f"{pattern.partition('.')[0]}.*"} - {pattern}
    return pattern != EVERYTHING and any(one in asked for one in wider)
