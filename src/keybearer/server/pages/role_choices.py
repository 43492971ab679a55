"""The roles that can be given on a page, each with what it allows in words."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from keybearer.server.clock import HOUR
from keybearer.server.http.forms import Form
from keybearer.server.node import Node
from keybearer.server.numbers import number_in
from keybearer.server.pages.session import Visitor
from keybearer.server.refusals import Refusal
from keybearer.server.roles import ROLE_NAMES, ROLE_TITLES

HOURS: Final = tuple(range(1, 9))
_REACH: Final = {"assigned-only": "everything assigned to them"}
_NOTES: Final = {"assumed": " For support staff: ends by itself."}


@dataclass(frozen=True, slots=True)
class RoleAsked:
    """
    A role as a form asks for it.

    Args:
        expires_at: microseconds since 1970 UTC, for the support role; None for the others, and if the form says nothing
            that can be read.
    """

    role: str
    expires_at: int | None


def role_choices(node: Node, viewer: Visitor) -> list[tuple[str, str, str]]:
    """Return value, title and explanation of each role that the viewer may give; support staff give none that stays."""
    withheld = {"owner", "assumed"} if viewer.role == "assumed" else set[str]()
    words = node.settings.permissions
    return [
        (role, ROLE_TITLES[role], _in_words(role, node.role_permissions[role], words) + _NOTES.get(role, ""))
        for role in ROLE_NAMES
        if role not in withheld
    ]


def role_asked(form: Form, now: int) -> RoleAsked:
    """Read the fields ``role`` and, for the support role, ``hours``; an action judges them."""
    role = form.text("role")
    hours = number_in(form.text("hours")) if role == "assumed" else None
    return RoleAsked(role, now + hours * HOUR if hours is not None else None)


def of_the_form(refusal: Refusal) -> Refusal:
    """Return the refusal with the form's own name of its field: a role's end is asked for in hours."""
    return replace(refusal, field="hours") if refusal.field == "expires_at" else refusal


def _in_words(role: str, given: frozenset[str], words: Mapping[str, str]) -> str:
    """Say what a role allows, by what it lacks where that is shorter."""
    reach = _REACH.get(role, "everything")
    lacking = [sentence for name, sentence in words.items() if name not in given]
    if not lacking:
        return f"May do {reach}."
    if not given:
        return "May do nothing."
    if given == {name for name in words if name.endswith(":read")}:
        return f"May look at {reach}, and change nothing."
    if len(lacking) <= 3:
        return f"May do {reach} but: {_joined(lacking)}."
    return f"May: {_joined([sentence for name, sentence in words.items() if name in given])}."


def _joined(sentences: list[str]) -> str:
    return "; ".join(sentence[:1].lower() + sentence[1:].rstrip(".") for sentence in sentences)
