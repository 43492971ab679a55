"""Makes random texts and ids, digests, derived keys; seals and unseals."""

import base64
import hashlib
import secrets
import string
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keybearer.reporting.random_supply import RandomSupply
from keybearer.wire.token_text import ALPHABET, SECRET_LENGTH


def _even(alphabet: str) -> tuple[bytes, bytes]:
    """Return a table from bytes to the alphabet, and the bytes to drop so that every character is as likely."""
    times = 256 // len(alphabet)
    return (alphabet * (times + 1)).encode("ascii")[:256], bytes(range(times * len(alphabet), 256))


_NONCE_LENGTH: Final = 12
_SUCCESSOR: Final = "keybearer: the successor of a refresh token"
_BASE62, _UNEVEN_BASE62 = _even(ALPHABET)
_BASE36, _UNEVEN_BASE36 = _even(string.digits + string.ascii_lowercase)


def digest(text: str) -> bytes:
    """Return the SHA-256 of a text as presented, 32 bytes: the only form in which it is stored."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def random_secret() -> str:
    """Return 32 random base62 characters: 190 bits."""
    return _random_characters(SECRET_LENGTH, _BASE62, _UNEVEN_BASE62)


def random_client_id() -> str:
    """Return a client id, 24 characters; its first letter keeps it unlike any user's subject (RFC 9700 §4.15)."""
    return "app" + _random_characters(21, _BASE36, _UNEVEN_BASE36)


def _random_characters(length: int, table: bytes, uneven: bytes) -> str:
    """
    Return *length* characters, each of the table's as likely as any other.

    Bytes that would make some characters likelier are dropped; a few more than needed are drawn for that. One
    translation of all bytes takes a twentieth of the time of as many calls of ``secrets.choice``.
    """
    drawn = b""
    while len(drawn) < length:
        drawn += secrets.token_bytes(length * 2).translate(table, uneven)
    return drawn[:length].decode("ascii")


def random_key() -> str:
    """Return a key to seal with, 43 characters of base64url: 256 bits."""
    return secrets.token_urlsafe(32)


def webhook_secret() -> str:
    """
    Return a secret that a webhook's deliveries are signed with: 256 bits.

    Source: Standard Webhooks 1.0.0, "Signature scheme" (192 to 512 bits, base64 behind ``whsec_``).
    """
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode("ascii")


def seal(plain: str, text: str, purpose: str = _SUCCESSOR) -> bytes:
    """
    Encrypt *plain* so that only the bearer of *text* can have it read; its digest does not open it.

    Args:
        purpose: what the sealed is for; it opens for nothing else.

    Returns:
        a random nonce of 12 bytes, then what AES-256-GCM made.

    Source: NIST SP 800-56C r2 §4.1 (the key), NIST SP 800-38D §8.2.2 (a random nonce).
    """
    nonce = secrets.token_bytes(_NONCE_LENGTH)
    return nonce + AESGCM(derived_key(text.encode(), purpose)).encrypt(nonce, plain.encode(), None)


def unseal(sealed: bytes, text: str, purpose: str = _SUCCESSOR) -> str:
    """
    Return what was sealed under *text* for this *purpose*.

    Raises:
        cryptography.exceptions.InvalidTag: it was sealed under another text, for another purpose, or altered.
    """
    nonce, encrypted = sealed[:_NONCE_LENGTH], sealed[_NONCE_LENGTH:]
    return AESGCM(derived_key(text.encode(), purpose)).decrypt(nonce, encrypted, None).decode()


def derived_key(secret: bytes, purpose: str) -> bytes:
    """
    Derive the key for one *purpose*, 32 bytes; neither the secret nor a key for another purpose follows from it.

    Args:
        secret: random already, so one step will do; of one length for all that share a purpose.

    Source: NIST SP 800-56C r2 §4.1, option 1.
    """
    return hashlib.sha256(b"\x00\x00\x00\x01" + secret + purpose.encode()).digest()


def record_id(now: int) -> str:
    """
    Return a UUIDv7 as text: unique, and in the order of creation, so that indexes stay compact.

    Args:
        now: microseconds since 1970 UTC.

    Source: RFC 9562 §5.7.
    """
    time = f"{now // 1_000 & 0xFFFF_FFFF_FFFF:012x}"
    return f"{time[:8]}-{time[8:]}-{_ID_ENDS.next()}"


def _id_end(chance: bytes) -> str:
    digits = chance.hex()
    return f"7{digits[:3]}-{'89ab'[chance[9] & 3]}{digits[3:6]}-{digits[6:18]}"


_ID_ENDS: Final = RandomSupply(10, _id_end)
