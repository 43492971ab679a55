"""SHA-256 of a token's text, by the quickest implementation that this Python has."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final


def _quickest() -> Callable[[bytes], Any]:
    """
    Return a constructor of SHA-256.

    That of OpenSSL, which `hashlib` prefers, looks itself up anew for each digest: of fifty characters that is nearly
    half the time. Python's own is not there in every build, and its module has had two names.
    """
    for name in ("_sha2", "_sha256", "hashlib"):
        try:
            found: Callable[[bytes], Any] = import_module(name).sha256
        except ImportError:
            continue
        return found
    raise ImportError("this Python has no SHA-256")


sha256: Final = _quickest()
