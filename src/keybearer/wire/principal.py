"""Who acts: the answer to "whose token is this, and what may it do now?"."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """
    The user in whose name a call is made, in the one team that the token reaches.

    Times are microseconds since 1970 UTC; ``permissions`` is what the user's role allows in the team at this
    moment, narrowed by the token where it is narrowed.
    """

    token_id: str
    token_kind: str
    token_last4: str
    grant_id: str
    client_id: str | None
    user_id: int
    user_name: str
    user_email: str
    team_id: int
    membership_id: int
    role: str
    environment: str
    permissions: frozenset[str]
    is_narrowed: bool
    created_at: int
    expires_at: int

    def can(self, permission: str) -> bool:
        """Tell whether the token may do what *permission* names, now."""
        return permission in self.permissions
