"""Who acts: the answer to "whose token is this, and what may it do now?"."""

from dataclasses import dataclass
from functools import lru_cache

from keybearer.wire import packing, recording
from keybearer.wire.denial import Bearer


@dataclass(frozen=True, slots=True)
class Principal:
    """
    The user in whose name a call is made, in the one team that the token reaches.

    A verifier holds one for each token that it has seen, perhaps a million: what many share is one object that all of
    them point to, and what is seldom read is packed.

    Args:
        user_id: the user's.
        place: the user's in the team, as `packing.packed_place` makes it.
        permissions: what the user's role allows in the team at this moment, narrowed by the token where it is narrowed.
        client_id: the app that holds the token; None for a personal one.
        token: as `packing.packed_token` makes it.
    """

    user_id: int
    place: bytes
    permissions: frozenset[str]
    client_id: str | None
    token: bytes

    def __repr__(self) -> str:
        """Return what a log may have: neither name nor address."""
        who = f"user_id={self.user_id}, team_id={self.team_id}, environment={self.environment!r}, role={self.role!r}"
        may = f"permissions={sorted(self.permissions)}, client_id={self.client_id!r}"
        return f"Principal({who}, {may}, token_last4={self.token_last4!r})"

    def can(self, permission: str) -> bool:
        """Tell whether the token may do what *permission* names, now."""
        return permission in self.permissions

    def record(self, action: str, **words: str | int) -> None:
        """
        Add to the record of the call that is being handled: ``principal.record("client.created", client=7832)``.

        The first action of a call names its record. Where calls are not recorded it does nothing.

        Args:
            action: ``noun.verb`` in small letters.
            words: what else there is to say, at most 8 KiB; it can be erased later, unlike the action.

        Raises:
            ValueError: the action or a word is not as the log has them, or it is too much.
        """
        recording.add(action, words)

    @property
    def bearer(self) -> Bearer:
        """What a record says of whoever acts."""
        return _bearer(self.user_id, self.place, self.client_id, self.token)

    @property
    def user_name(self) -> str:
        """The user's name."""
        return packing.role_and_person_of(self.place)[1]

    @property
    def user_email(self) -> str:
        """The user's email address."""
        return packing.role_and_person_of(self.place)[2]

    @property
    def team_id(self) -> int:
        """The id of the one team that the token reaches."""
        return packing.team_id_of(self.place)

    @property
    def membership_id(self) -> int:
        """The id of the user's place in the team."""
        return packing.membership_id_of(self.place)

    @property
    def role(self) -> str:
        """The user's role in the team."""
        return packing.role_and_person_of(self.place)[0]

    @property
    def environment(self) -> str:
        """``live`` or ``sandbox``: the team's, and so the token's."""
        return packing.environment_of(self.place)

    @property
    def token_kind(self) -> str:
        """``pat`` or ``oat``: a personal token, or one that an app was given."""
        return packing.kind_of(self.token)

    @property
    def expires_at(self) -> int:
        """When the token ends: microseconds since 1970 UTC."""
        return packing.expires_at_of(self.token)

    @property
    def is_narrowed(self) -> bool:
        """Whether the token may do less than its user's role."""
        return packing.is_narrowed_in(self.token)

    @property
    def token_id(self) -> str:
        """The token's id."""
        return packing.ids_of(self.token)[0]

    @property
    def grant_id(self) -> str:
        """The id of the grant that the token hangs on."""
        return packing.ids_of(self.token)[1]

    @property
    def token_last4(self) -> str:
        """The last four characters of the token's text, for people to recognise it."""
        return packing.ids_of(self.token)[2]


@lru_cache(1024)  # every call needs one, and the same tokens call again and again
def _bearer(user_id: int, place: bytes, client_id: str | None, token: bytes) -> Bearer:
    team_id, environment = packing.team_id_of(place), packing.environment_of(place)
    token_id, grant_id, last4 = packing.ids_of(token)
    return Bearer(user_id, team_id, environment, client_id, grant_id, token_id, last4)
