"""
Packs the rarely read fields of a principal into bytes: one object for each field would fill a verifier's memory.

Of a token: when it ends, flags, its ids and those of its grant (16 bytes each where they are UUIDs), its last four.
Of a user's place in a team: its ids, the environment, their role, name and address.
"""

from functools import lru_cache
from struct import Struct
from typing import Final

from keybearer.wire.token_text import ENVIRONMENTS

_TOKEN: Final = Struct("<qB")
_PLACE: Final = Struct("<qqB")
_KINDS: Final = ("pat", "oat")
_IS_NARROWED, _HAS_UUIDS, _KIND = 1, 2, 2  # flags, and how far the kind is shifted
_UUIDS_END: Final = _TOKEN.size + 32


def packed_token(kind: str, expires_at: int, *, is_narrowed: bool, ids: tuple[str, str, str]) -> bytes:
    """
    Return what is told of a token.

    Args:
        kind: ``pat`` or ``oat``.
        expires_at: microseconds since 1970 UTC.
        ids: the token's, its grant's, and the last four characters of its text.

    Raises:
        ValueError: there is no such kind, or a text is not Unicode or has a NUL in it.
        struct.error: there is no such time.
    """
    if any("\0" in each for each in ids):
        raise ValueError("an id has a NUL in it")
    token_id, grant_id, last4 = ids
    flags = is_narrowed | _KINDS.index(kind) << _KIND
    both = _uuid_bytes(token_id) + _uuid_bytes(grant_id)
    if len(both) == 32:
        return _TOKEN.pack(expires_at, flags | _HAS_UUIDS) + both + last4.encode()
    return _TOKEN.pack(expires_at, flags) + "\0".join(ids).encode()


@lru_cache(1024)  # every call needs them, and the same tokens call again and again
def ids_of(packed: bytes) -> tuple[str, str, str]:
    """Return the token's id, its grant's, and the last four characters of its text."""
    if packed[8] & _HAS_UUIDS:
        both = packed[_TOKEN.size : _UUIDS_END].hex()
        return _uuid(both[:32]), _uuid(both[32:]), packed[_UUIDS_END:].decode()
    token_id, grant_id, last4 = packed[_TOKEN.size :].decode().split("\0")
    return token_id, grant_id, last4


def is_of_grant(packed: bytes, grant_id: str) -> bool:
    """Tell whether a token hangs on this grant; quicker than `ids_of` for a token seen for the first time."""
    sought = _uuid_bytes(grant_id)
    if sought and packed[8] & _HAS_UUIDS:
        return packed.startswith(sought, _TOKEN.size + 16)
    return ids_of(packed)[1] == grant_id


def expires_at_of(packed: bytes) -> int:
    """Return when the token ends: microseconds since 1970 UTC."""
    return int.from_bytes(packed[:8], "little", signed=True)


def kind_of(packed: bytes) -> str:
    """Return ``pat`` or ``oat``."""
    return _KINDS[packed[8] >> _KIND]


def is_narrowed_in(packed: bytes) -> bool:
    """Tell whether the token may do less than its user's role."""
    return bool(packed[8] & _IS_NARROWED)


def packed_place(team_id: int, membership_id: int, environment: str, role: str, person: tuple[str, str]) -> bytes:
    """
    Return what is told of a user's place in a team.

    Args:
        environment: ``live`` or ``sandbox``: the team's.
        person: the user's name, and their address.

    Raises:
        ValueError: there is no such environment, or a text is not Unicode or has a NUL in it.
        struct.error: a number is out of range.
    """
    name, email = person
    if "\0" in role or "\0" in email:
        raise ValueError("a role or an address has a NUL in it")
    return _PLACE.pack(team_id, membership_id, ENVIRONMENTS.index(environment)) + f"{role}\0{name}\0{email}".encode()


def team_id_of(packed: bytes) -> int:
    """Return the team's id."""
    return int.from_bytes(packed[:8], "little", signed=True)


def membership_id_of(packed: bytes) -> int:
    """Return the id of the place."""
    return int.from_bytes(packed[8:16], "little", signed=True)


def environment_of(packed: bytes) -> str:
    """Return ``live`` or ``sandbox``."""
    return ENVIRONMENTS[packed[16]]


@lru_cache(1024)
def role_and_person_of(packed: bytes) -> tuple[str, str, str]:
    """Return the user's role, their name, and their address."""
    role, _, person = packed[_PLACE.size :].decode().partition("\0")
    name, _, email = person.rpartition("\0")
    return role, name, email


@lru_cache(16)  # one grant is looked for among many tokens
def _uuid_bytes(text: str) -> bytes:
    """Return the 16 bytes of a UUID in its one canonical form; nothing for any other text."""
    try:
        read = bytes.fromhex(text.replace("-", ""))
    except ValueError:
        return b""
    return read if len(read) == 16 and _uuid(read.hex()) == text else b""


def _uuid(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
