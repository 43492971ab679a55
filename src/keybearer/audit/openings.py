"""Checks many commitments at once, with the same result as `wire.activity.open_details`."""

from binascii import a2b_base64, b2a_base64
from collections.abc import Sequence
from hashlib import sha256
from struct import unpack
from typing import Final

from keybearer.wire.activity import MAX_VALUE_BYTES, OPENINGS, SALT_BYTES, Details, HasSealed


def check_details(entries: Sequence[HasSealed], details: Sequence[Details]) -> None:
    """
    Make sure that details open the commitments of their entries.

    Args:
        details: of each entry, what a decoder has seen to be details.

    Raises:
        KeyError: an entry has no commitment of which there is a detail.
        ValueError: one does not open, or may be too long.
    """
    pairs = list(zip(details, [entry.sealed or {} for entry in entries], strict=True))
    for field in set().union(*details):
        told = [each[field] for each in details if field in each]
        check_openings(field, told, [sealed[field] for each, sealed in pairs if field in each])


def check_openings(field: str, details: Sequence[Sequence[str]], committed: Sequence[str]) -> None:
    """
    Make sure that commitments of one field open.

    Args:
        details: of each a salt of 43 characters, and the value.
        committed: the commitments.

    Raises:
        ValueError: one does not open, or may be too long.
    """
    if not details:
        return
    salts, values = [salt for salt, _ in details], [value for _, value in details]
    if max(map(len, values)) > _LONGEST:
        raise ValueError("a value may be too long")
    opening, each = OPENINGS[field], zip(_decoded(salts), values, strict=True)
    digests = [sha256(opening + salt + value.encode()).digest() for salt, value in each]
    if _encoded(digests) != "A".join([*committed, ""]).encode():
        raise ValueError("a detail is not what the entry was sealed with")


def _decoded(texts: Sequence[str]) -> Sequence[bytes]:
    """Decode texts of 43 characters, base64url of 32 bytes each; with an A they are 44, and 33 bytes, the last zero."""
    data = a2b_base64("A".join([*texts, ""]).encode().translate(_FROM_URL), strict_mode=True)
    if any(data[SALT_BYTES :: SALT_BYTES + 1]):
        raise ValueError("a salt has bits left over at its end")
    return unpack(f"{SALT_BYTES}sx" * len(texts), data)


def _encoded(digests: Sequence[bytes]) -> bytes:
    """Write what `_decoded` reads."""
    return b2a_base64(b"\0".join([*digests, b""]), newline=False).replace(b"+", b"-").replace(b"/", b"_")


_FROM_URL: Final = bytes.maketrans(b"-_+/=", b"+/!!!")
_LONGEST: Final = MAX_VALUE_BYTES // 4  # characters, whatever they are
