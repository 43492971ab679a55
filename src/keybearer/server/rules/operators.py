"""Who may do what concerns this server and no team: its operators."""

from keybearer.server import refusals
from keybearer.server.records import User


def is_operator(user: User | None) -> bool:
    """Tell whether the user operates this server at the moment; a suspended one does not."""
    return user is not None and user.operator_at is not None and user.disabled_at is None


def check_operator(user: User | None) -> None:
    """
    Refuse whoever is not an operator.

    Raises:
        Refusal: ``not_found``: to others there is nothing here.
    """
    if not is_operator(user):
        raise refusals.not_found("not an operator")
