"""Proof key for code exchange: the one method S256."""

import base64
import hashlib
import hmac
import re
from typing import Final

_VERIFIER: Final = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9\-_]{43}")


def is_challenge(text: str) -> bool:
    """Tell whether *text* can be an S256 challenge: a SHA-256 in base64url without padding (RFC 7636 §4.2)."""
    return _CHALLENGE.fullmatch(text) is not None


def is_verifier(text: str) -> bool:
    """Tell whether *text* has the length and the alphabet of a verifier (RFC 7636 §4.1)."""
    return _VERIFIER.fullmatch(text) is not None


def verifier_matches(verifier: str, challenge: str) -> bool:
    """
    Tell whether *verifier* is the secret behind an S256 *challenge*.

    Args:
        verifier: 43 to 128 characters out of ``A-Z a-z 0-9 - . _ ~``.
        challenge: base64url without padding, 43 characters.

    Returns:
        False for a malformed verifier as for a wrong one: the client is told ``invalid_grant`` either way.

    Source: RFC 7636 §4.6 (comparison), §4.1 (verifier), §4.2 (S256).
    """
    if not is_verifier(verifier):
        return False
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    expected = base64.urlsafe_b64encode(digest).rstrip(b"=")
    return hmac.compare_digest(expected, challenge.encode())
