"""Randomness that keeps what is personal from being guessed out of the log."""

from binascii import b2a_base64
from typing import Final

from keybearer.reporting.random_supply import RandomSupply
from keybearer.wire.activity import SALT_BYTES

_MOST_FIELDS: Final = 3  # that are sealed together: user, address and agent; words have theirs for themselves


def salts(fields: int) -> str:
    """Return base64 of 32 random bytes for each of so many fields, at most three; nobody else is given the same."""
    return _OF_FIELDS[fields].next()


def _base64(drawn: bytes) -> str:
    return b2a_base64(drawn, newline=False).decode()


_OF_FIELDS: Final = {fields: RandomSupply(SALT_BYTES * fields, _base64) for fields in range(1, _MOST_FIELDS + 1)}
