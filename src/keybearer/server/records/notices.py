"""Notices to users about the end of tokens and apps."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """
    What decides whether a user is to be told of a grant's end.

    Args:
        over_at: when the grant was ended, or its app deleted; None while neither has happened.
        runs_out_at: when the last of its tokens ends by itself, not counting those that were revoked or used up; None
            if there is none.
        born_at: when the newest of these was made.
    """

    user_id: int
    team_id: int
    environment: str
    client_id: str | None
    over_at: int | None
    runs_out_at: int | None
    born_at: int | None
    user_disabled_at: int | None
    team_archived_at: int | None
    role: str | None
    membership_expires_at: int | None


@dataclass(frozen=True, slots=True)
class Expiry:
    """
    A grant at whose end it is time to look; ``token_id`` and ``last4`` are a personal token's.

    Args:
        ends_at: the end that the look before found; another one than now, if the app has refreshed since.
    """

    grant_id: str
    ends_at: int
    look_at: int
    token_id: str | None
    last4: str | None
    standing: Standing


@dataclass(frozen=True, slots=True)
class Notice:
    """
    What a user is to be mailed about something that acts in their name.

    Args:
        kind: ``expiring``, ``expired`` or ``revoked``.
        at: when it ends, ended, or was revoked.
        by_user_id: who revoked it; None: an operator at the command line, or nobody.
    """

    grant_id: str
    user_id: int
    kind: str
    at: int
    by_user_id: int | None


@dataclass(frozen=True, slots=True)
class ToldNotice:
    """
    A notice with the words that its mail needs, and how its grant stands now.

    Args:
        last4: a personal token's.
        client_deleted_at: when the app itself was deleted.
    """

    kind: str
    at: int
    attempts: int
    email: str
    name: str
    last4: str | None
    team_name: str
    by_name: str | None
    by_email: str | None
    client_deleted_at: int | None
    standing: Standing
