"""Commitments opened many at a time: what opens here is what `wire.activity.open_details` opens."""

from binascii import a2b_base64, b2a_base64
from collections.abc import Iterator, Sequence
from hashlib import sha256
from struct import Struct
from typing import Final

from keybearer.wire.activity import MAX_VALUE_BYTES, OPENINGS, SALT_BYTES


def check_openings(openings: Sequence[tuple[str, str, str, str]]) -> None:
    """
    Make sure that commitments open.

    Args:
        openings: each a field, its salt of 43 characters, its value, and the commitment.

    Raises:
        ValueError: one does not open, or may be too long.
    """
    if not openings:
        return
    fields, salts, values, committed = zip(*openings, strict=True)
    if max(map(len, values)) > _LONGEST:
        raise ValueError("a value may be too long")
    each = zip(fields, _decoded(salts), values, strict=True)
    digests = [sha256(OPENINGS[field] + salt + value.encode()).digest() for field, (salt,), value in each]
    if _encoded(digests) != f"{'A'.join(committed)}A".encode():
        raise ValueError("a detail is not what the entry was sealed with")


def _decoded(texts: Sequence[str]) -> Iterator[tuple[bytes]]:
    """Decode texts of 43 characters, base64url of 32 bytes each; with an A they are 44, and 33 bytes, the last zero."""
    data = a2b_base64(f"{'A'.join(texts)}A".encode().translate(_FROM_URL), strict_mode=True)
    if any(data[SALT_BYTES :: SALT_BYTES + 1]):
        raise ValueError("a salt has bits left over at its end")
    return _AND_ZERO.iter_unpack(data)


def _encoded(digests: Sequence[bytes]) -> bytes:
    """Write what `_decoded` reads."""
    return b2a_base64(b"\0".join([*digests, b""]), newline=False).translate(_TO_URL)


_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_+/=", b"+/!!!")
_AND_ZERO: Final = Struct(f"{SALT_BYTES}sx")
_LONGEST: Final = MAX_VALUE_BYTES // 4  # characters, whatever they are
