"""Who acts: the answer to "whose token is this, and what may it do now?"."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """A user's place in one team: what all tokens that reach it in their name have in common."""

    user_id: int
    user_name: str
    user_email: str
    team_id: int
    membership_id: int
    role: str
    environment: str


@dataclass(frozen=True, slots=True)
class Principal:
    """
    The user in whose name a call is made, in the one team that the token reaches.

    A verifier holds one for each token that it has seen, perhaps a million: what many share is one object that all of
    them point to, and a token's own ids are one text.

    Args:
        permissions: what the user's role allows in the team at this moment, narrowed by the token where it is narrowed.
        token_kind: ``pat`` or ``oat``.
        client_id: the app that holds the token; None for a personal one.
        expires_at: microseconds since 1970 UTC.
        ids: as `joined_ids` makes it.
    """

    standing: Standing
    permissions: frozenset[str]
    token_kind: str
    client_id: str | None
    expires_at: int
    is_narrowed: bool
    ids: str

    def can(self, permission: str) -> bool:
        """Tell whether the token may do what *permission* names, now."""
        return permission in self.permissions

    @property
    def user_id(self) -> int:
        """The user's id."""
        return self.standing.user_id

    @property
    def user_name(self) -> str:
        """The user's name."""
        return self.standing.user_name

    @property
    def user_email(self) -> str:
        """The user's email address."""
        return self.standing.user_email

    @property
    def team_id(self) -> int:
        """The id of the one team that the token reaches."""
        return self.standing.team_id

    @property
    def membership_id(self) -> int:
        """The id of the user's place in the team."""
        return self.standing.membership_id

    @property
    def role(self) -> str:
        """The user's role in the team."""
        return self.standing.role

    @property
    def environment(self) -> str:
        """``live`` or ``sandbox``: the team's, and so the token's."""
        return self.standing.environment

    @property
    def token_last4(self) -> str:
        """The last four characters of the token's text, for people to recognise it."""
        return self.ids.split(" ")[0]

    @property
    def token_id(self) -> str:
        """The token's id."""
        return self.ids.split(" ")[1]

    @property
    def grant_id(self) -> str:
        """The id of the grant that the token hangs on."""
        return self.ids.split(" ")[2]


def joined_ids(last4: str, token_id: str, grant_id: str) -> str:
    """Return a token's ids as one text, which takes half the memory of three."""
    return f"{last4} {token_id} {grant_id}"
