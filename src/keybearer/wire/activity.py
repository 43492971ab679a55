"""The entry: one record of the activity log as the bytes that are hashed."""

import binascii
import json
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, NamedTuple, Protocol

from keybearer.wire.activity_keys import CANONICAL, JUDGES, LATENCIES_MS, MAX_INTEGER, SEALED
from keybearer.wire.token_text import masked

VERSION: Final = 1
CALL: Final = "api.called"
MAX_ENTRY_BYTES: Final = 16 * 1024
MAX_VALUE_BYTES: Final = 8 * 1024  # of one sealed field's value
SALT_BYTES: Final = 32
OPENINGS: Final = {field: b"kb1" + field.encode() + b"\x00" for field in SEALED}  # what is hashed before the salt


class HasSealed(Protocol):
    """An entry, in whatever way it was read."""

    @property
    def sealed(self) -> Mapping[str, str] | None:
        """Its commitments by their fields."""


Details = Mapping[str, Sequence[str]]
"""What opens an entry's commitments: by the field's name its salt (base64url, 43 characters) and its value."""


class Entry(NamedTuple):
    """
    One thing that happened; `entry_bytes` says it as the log keeps it.

    Args:
        at: when, in microseconds since 1970 UTC by the reporter's clock.
        action: ``api.called``, or ``noun.verb``.
        outcome: ``done``, ``refused``, ``failed`` (the handler broke) or ``unknown`` (its process died first).
        reporter: who tells it: a resource server's id. What the server records itself, in the transaction of what it
            records, needs no counting: it has neither this nor the next two.
        boot: random text of one life of the reporter's process.
        n: its number in this life, from 1 without a gap.
        reason: why it was refused, a code.
        route: the template of the path, never the path.
        ms: how long it took, a class of `latency_class`.
        sealed: the commitments to what is personal, by the names in `activity_keys.SEALED`; base64url, 43 characters.
    """

    at: int
    action: str
    outcome: str
    reporter: str | None = None
    boot: str | None = None
    n: int | None = None
    reason: str | None = None
    team: int | None = None
    environment: str | None = None
    client: str | None = None
    grant: str | None = None
    token: str | None = None
    token_last4: str | None = None
    method: str | None = None
    route: str | None = None
    status: int | None = None
    ms: int | None = None
    request_id: str | None = None
    sealed: Mapping[str, str] | None = None


def latency_class(ms: float) -> int:
    """Return the smallest of ``LATENCIES_MS`` that *ms* milliseconds fit in; the largest for what takes longer."""
    return LATENCIES_MS[bisect_left(LATENCIES_MS, ms, hi=len(LATENCIES_MS) - 1)]


def seal(
    values: Mapping[str, str], randomness: Callable[[int], bytes]
) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """
    Commit to what is personal, so that it can be forgotten later and proved until then.

    Args:
        values: what each field of ``SEALED`` says, at most 8 KiB of UTF-8 each. Strangers choose some of it, their
            user agent for one: what looks like a token's text is masked before.
        randomness: gives that many random bytes out of a cryptographic source; each field has a salt of its own,
            else equal values would show.

    Returns:
        The commitments, which belong in the entry, and the details that open them.

    Raises:
        ValueError: a field is unknown, or its value too long.
    """
    salts = randomness(SALT_BYTES * len(values))
    sealed, details, start = {}, {}, 0
    for field, text in values.items():
        (value, opening, encoded), salt = _prepared(field, text), salts[start : (start := start + SALT_BYTES)]
        # Both in one: 32 bytes and a zero are 44 characters, of which the last says nothing.
        both = salt + b"\0" + sha256(opening + salt + encoded).digest() + b"\0"
        written = binascii.b2a_base64(both, newline=False).translate(_TO_URL).decode()
        details[field] = (written[:43], value)
        sealed[field] = written[44:87]
    return sealed, details


def commitment(field: str, salt: bytes, value: str) -> str:
    """
    Return the commitment of one field: no two of field, salt and value have the same.

    The zero byte ends the field's name, and the salt's length is fixed, so it is clear where each part ends.

    Args:
        salt: 32 random bytes.

    Raises:
        ValueError: the field is unknown, or the value is too long or has half a character.
    """
    return _base64url(sha256(_opening(field) + salt + _sealable(field, value)).digest())


def open_details(entry: HasSealed, details: Details) -> dict[str, str]:
    """
    Open an entry's commitments; a field that has no detail was erased, and is not in what is returned.

    Raises:
        ValueError: names the field that does not open, or that the entry does not have.
    """
    sealed, found = entry.sealed or {}, {}
    for field, detail in details.items():
        committed = sealed.get(field)
        if committed is None:
            raise ValueError(f"the details have {field!r:.64}, which the entry does not")
        try:
            salt, value = detail[0], detail[1]
            opens = commitment(field, _salt(field, salt), value) == committed and len(detail) == 2
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise ValueError(f"the detail of {field} is not a salt and a value") from error
        if not opens:
            raise ValueError(f"{field} is not what the entry was sealed with")
        found[field] = value
    return found


def words_text(words: Mapping[str, str | int]) -> str:
    """
    Say what an API records itself in the one way there is, as the sealed field ``words`` has it.

    Raises:
        ValueError: a value is neither text nor a whole number, a key is not ASCII, or it is more than can be sealed.

    Source: RFC 8785, for texts and whole numbers.
    """
    for key, value in words.items():
        if not key.isascii() or (not isinstance(value, str) and abs(value) > MAX_INTEGER):
            raise ValueError(f"{key!r} is recorded as {value!r}; names are ASCII, values text or whole numbers")
    text = CANONICAL.encode(words)
    _sealable("words", text)
    return text


def entry_bytes(entry: Entry) -> bytes:
    """
    Say an entry in the one way there is: canonical JSON.

    Raises:
        ValueError: names the part that no entry can have.

    Source: RFC 8785 (written down directly: the keys are ours, in order, and the values are texts and whole numbers).
    """
    if not (entry.reporter is None) == (entry.boot is None) == (entry.n is None):
        raise ValueError("the entry has one of reporter, boot and n without the others")
    parts = (
        _action(entry.action),
        f'"at":{_at(entry.at)},',
        _boot_to_ms(entry.boot, entry.client, entry.environment, entry.grant, entry.method, entry.ms),
        "" if entry.n is None else f'"n":{_n(entry.n)},',
        _outcome_to_reporter(entry.outcome, entry.reason, entry.reporter),
        "" if entry.request_id is None else f'"request_id":{_request_id(entry.request_id)},',
        _route(entry.route),
        "" if entry.sealed is None else f'"sealed":{_sealed(entry.sealed)},',
        _status_to_last4(entry.status, entry.team, entry.token, entry.token_last4),
    )
    return f'{{{"".join(parts)}"v":1}}'.encode()


def entry_from(data: bytes) -> Entry:
    """
    Read an entry, and accept no other bytes than those that `entry_bytes` would write.

    Raises:
        ValueError: names what is wrong.
    """
    if len(data) > MAX_ENTRY_BYTES:
        raise ValueError(f"the entry is longer than {MAX_ENTRY_BYTES} bytes")
    try:
        parts = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise ValueError("the entry is not JSON in UTF-8") from error
    entry = _entry(parts)
    if entry_bytes(entry) != data:
        raise ValueError("the entry is not written as RFC 8785 writes it: keys in order, each once, without spaces")
    return entry


def _entry(parts: Any) -> Entry:
    if not isinstance(parts, dict):
        raise ValueError("the entry is not an object")  # noqa: TRY004 - what is refused is a value, by one exception
    if parts.pop("v", None) != VERSION:
        raise ValueError("the entry's v is not 1")
    for name, value in parts.items():
        if name not in JUDGES:
            raise ValueError(f"the entry has an unknown key, {name[:64]!r}")
        if name != "sealed" and not isinstance(value, str | int):
            raise ValueError(f"the entry's {name} is neither text nor a whole number; what is not known is left out")
    for name in _REQUIRED:
        if name not in parts:
            raise ValueError(f"the entry has no {name}")
    return Entry(**parts)


@lru_cache(1_024)  # the same callers come again
def _prepared(field: str, text: str) -> tuple[str, bytes, bytes]:
    """Return what a field says, masked, and what is hashed of it before the salt and behind it."""
    value = masked(text)
    return value, _opening(field), _sealable(field, value)


def _opening(field: str) -> bytes:
    opening = OPENINGS.get(field)
    if opening is None:
        raise ValueError(f"{field} is not a field that can be sealed")
    return opening


def _sealable(field: str, value: str) -> bytes:
    try:
        encoded = value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{field} is not text: it has half a character") from error
    if len(encoded) > MAX_VALUE_BYTES:
        raise ValueError(f"{field} is longer than {MAX_VALUE_BYTES} bytes")
    return encoded


def _salt(field: str, text: str) -> bytes:
    try:
        salt = binascii.a2b_base64(text.encode().translate(_FROM_URL) + b"=", strict_mode=True)
    except ValueError:
        salt = b""
    if len(salt) != SALT_BYTES or text[-1] not in "AEIMQUYcgkosw048":  # else bits are left over at the end
        raise ValueError(f"the salt of {field} is not base64url of 32 bytes")
    return salt


def _in_common(*names: str) -> Callable[..., str]:
    """Return what writes the values of keys that follow on each other; it remembers them, and refuses what is wrong."""
    keys = [(f'"{name}":', JUDGES[name]) for name in names]

    @lru_cache(1_024)
    def written(*values: Any) -> str:
        told = zip(keys, values, strict=True)
        return "".join([f"{opening}{judge(value)}," for (opening, judge), value in told if value is not None])

    return written


def _base64url(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL, b"=").decode()


_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_+/", b"+/!!")

_REQUIRED: Final = ("at", "action", "outcome")
# An entry in the order of its keys: what many have in common, and between that what each has of its own.
_action: Final = _in_common("action")
_at: Final = JUDGES["at"]
_boot_to_ms: Final = _in_common("boot", "client", "environment", "grant", "method", "ms")
_n: Final = JUDGES["n"]
_outcome_to_reporter: Final = _in_common("outcome", "reason", "reporter")
_request_id: Final = JUDGES["request_id"]
_route: Final = _in_common("route")
_sealed: Final = JUDGES["sealed"]
_status_to_last4: Final = _in_common("status", "team", "token", "token_last4")
