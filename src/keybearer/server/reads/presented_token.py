"""What a token is called and when it was last used, for whoever presents it."""

from dataclasses import dataclass

from keybearer.server import refusals
from keybearer.server.store import tokens
from keybearer.server.store.database import Reader


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """
    What a principal does not say of its token.

    Args:
        name: the personal token's name, or the app's.
        last_used_at: microseconds since 1970 UTC, accurate to the minute; None for the first use.
    """

    name: str
    created_at: int
    last_used_at: int | None
    team_identifier: str
    team_name: str


async def presented_token(reader: Reader, token_id: str) -> PresentedToken:
    """
    Return the particulars of the token.

    Raises:
        Refusal: ``not_found``: there is no such token.
    """
    row = await tokens.particulars(reader, token_id)
    if row is None:
        raise refusals.not_found("the token is gone")
    return PresentedToken(**row)
