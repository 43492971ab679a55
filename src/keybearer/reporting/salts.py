"""Randomness that keeps what is personal from being guessed out of the log."""

import os
from binascii import b2a_base64
from collections import defaultdict
from typing import Final

from keybearer.wire.activity import SALT_BYTES

_AT_ONCE: Final = 32  # a system call for each call would take as long as half of what else is done to record it
_DRAWN: Final[defaultdict[int, list[str]]] = defaultdict(list)


def salts(fields: int) -> str:
    """Return base64 of 32 random bytes for each of so many fields; nobody else is given the same."""
    try:
        return _DRAWN[fields].pop()
    except IndexError:
        size = SALT_BYTES * fields
        drawn = os.urandom(size * _AT_ONCE)
        texts = [b2a_base64(drawn[at : at + size], newline=False).decode() for at in range(0, len(drawn), size)]
        _DRAWN[fields].extend(texts[1:])
        return texts[0]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_DRAWN.clear)  # what is left there is the parent's
