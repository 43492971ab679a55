"""Making random parts, and the digests under which texts are kept."""

import hashlib
import hmac
import secrets
import uuid
from typing import Final

from keybearer.wire.token_text import ALPHABET, SECRET_LENGTH

_CLIENT_ID_ALPHABET: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


def digest(text: str) -> bytes:
    """Return the SHA-256 of a text as presented, 32 bytes: the only form in which it is stored."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def equal(left: bytes, right: bytes) -> bool:
    """Compare two digests in a time that does not depend on where they differ."""
    return hmac.compare_digest(left, right)


def random_secret() -> str:
    """Return 32 random base62 characters: 190 bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH))


def random_client_id() -> str:
    """Return a client id, 24 characters; its first letter keeps it unlike any user's subject (RFC 9700 §4.15)."""
    return "app" + "".join(secrets.choice(_CLIENT_ID_ALPHABET) for _ in range(21))


def record_id(now: int) -> str:
    """
    Return a UUIDv7 as text: unique, and in the order of creation, so that indexes stay compact.

    Args:
        now: microseconds since 1970 UTC.

    Source: RFC 9562 §5.7.
    """
    value = (now // 1_000 & 0xFFFF_FFFF_FFFF) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    return str(uuid.UUID(int=value))
