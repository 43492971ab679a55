"""Randomness that keeps what is personal from being guessed out of the log."""

import binascii
import os

from keybearer.wire.activity import SALT_BYTES


def salts(fields: int) -> str:
    """Return base64 of 32 random bytes for each of so many fields."""
    return binascii.b2a_base64(os.urandom(SALT_BYTES * fields), newline=False).decode()
