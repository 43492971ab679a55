"""The text of a token: its parts, its checksum, and nothing that needs a look-up."""

import re
import string
import zlib
from dataclasses import dataclass
from typing import Final

ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
SECRET_LENGTH: Final = 32  # base62 characters: 190 bits
CHECKSUM_LENGTH: Final = 6  # 62**6 > 2**32
MAX_PREFIX_LENGTH: Final = 16

_ENVIRONMENT_WORDS: Final = {"live": "live", "sandbox": "test"}
_ENVIRONMENT_OF_WORD: Final = {word: environment for environment, word in _ENVIRONMENT_WORDS.items()}
ENVIRONMENTS: Final = tuple(_ENVIRONMENT_WORDS)
_TWO_DIGITS: Final = tuple(left + right for left in ALPHABET for right in ALPHABET)

KINDS: Final = {
    "pat": "personal access token",
    "oat": "OAuth access token",
    "ort": "OAuth refresh token",
    "rsk": "resource server key",
    "ocs": "client secret",
    "oac": "authorization code",
}
BEARER_KINDS: Final = frozenset({"pat", "oat"})
LOOKS_LIKE_ONE: Final = r"([a-z][a-z0-9]{0,15}_[a-z]{3}_(?:live|test)_)[0-9A-Za-z]{8,}([0-9A-Za-z]{4})"
_MASKABLE: Final = re.compile(LOOKS_LIKE_ONE)


@dataclass(frozen=True, slots=True)
class TokenText:
    """The parts that a well-formed text says of itself, without any look-up."""

    prefix: str
    kind: str
    environment: str
    last4: str


def compose(prefix: str, kind: str, environment: str, secret: str) -> str:
    """
    Put a token's text together and close it with its checksum.

    Args:
        prefix: the provider's own, lower-case letters and digits.
        kind: a key of ``KINDS``.
        environment: ``live`` or ``sandbox``.
        secret: 32 base62 characters out of a cryptographic source.
    """
    body = f"{prefix}_{kind}_{_ENVIRONMENT_WORDS[environment]}_{secret}"
    return body + checksum(body)


def checksum(body: str) -> str:
    """Return the CRC32 of *body* as six base62 characters, zero-padded."""
    rest, last = divmod(zlib.crc32(body.encode("ascii")), len(_TWO_DIGITS))
    first, middle = divmod(rest, len(_TWO_DIGITS))
    return _TWO_DIGITS[first] + _TWO_DIGITS[middle] + _TWO_DIGITS[last]


def parse(text: str) -> TokenText | None:
    """
    Take a presented text apart; None if it cannot be one of ours.

    A wrong checksum is found here, so a mistyped or truncated token costs no look-up.

    Args:
        text: what the caller presented, of any length and any characters.
    """
    if len(text) > MAX_PREFIX_LENGTH + SECRET_LENGTH + CHECKSUM_LENGTH + len("_pat_live_") or not text.isascii():
        return None
    parts = text.split("_")
    if len(parts) != 4:
        return None
    prefix, kind, word, tail = parts
    environment = _ENVIRONMENT_OF_WORD.get(word)
    if (
        kind not in KINDS
        or environment is None
        or len(tail) != SECRET_LENGTH + CHECKSUM_LENGTH
        or not tail.isalnum()  # of ASCII, that is base62
    ):
        return None
    if checksum(text[:-CHECKSUM_LENGTH]) != text[-CHECKSUM_LENGTH:]:
        return None
    return TokenText(prefix, kind, environment, text[-4:])


def kind_of(text: str) -> str | None:
    """Return the kind that a presented text says it is of, a key of ``KINDS``; None if it cannot be one of ours."""
    parsed = parse(text)
    return parsed.kind if parsed else None


def masked(text: str) -> str:
    """Take the secret part out of everything in *text* that looks like a token's; kind and last characters stay."""
    return _MASKABLE.sub(r"\1...\2", text) if "_live_" in text or "_test_" in text else text
