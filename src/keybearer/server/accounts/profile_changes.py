"""A change of a user's profile as it was typed, and the checked values that are kept."""

from dataclasses import dataclass

from keybearer.server import refusals
from keybearer.server.refusals import Refusal
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
    name, address, wrong = None, None, list[Refusal]()
    try:
        name = None if change.name is None else clean_name(change.name, MAX_USER_NAME)
    except Refusal as refusal:
        wrong.append(refusal)
    try:
        address = None if change.email is None else clean_address(change.email)
    except Refusal as refusal:
        wrong.append(refusal)
    if wrong:
        raise refusals.all_invalid(wrong)
    return name, address
