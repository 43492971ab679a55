"""A change of a user's profile as it was typed, and the checked values that are kept."""

from dataclasses import dataclass

from keybearer.server import refusals
from keybearer.server.refusals import Refusal, attempt
from keybearer.server.rules.addresses import Address, clean_address
from keybearer.server.rules.names import MAX_USER_NAME, clean_name


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """What is to be different, as typed; None leaves it as it is."""

    name: str | None
    email: str | None


def judged(change: ProfileChange) -> tuple[str | None, Address | None]:
    """
    Return the name and the address to be kept.

    Raises:
        Refusal: ``invalid``: one of them cannot be kept; both are named.
    """
    wrong: list[Refusal] = []
    name = attempt(wrong, lambda: clean_name(change.name, MAX_USER_NAME) if change.name is not None else None)
    address = attempt(wrong, lambda: clean_address(change.email) if change.email is not None else None)
    if wrong:
        raise refusals.all_invalid(wrong)
    return name, address
