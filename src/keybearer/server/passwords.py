"""Argon2id, off the event loop, a few at a time."""

import asyncio
import unicodedata
from functools import cache
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import VerificationError

_AT_ONCE: Final = 2
_HASHER: Final = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=1, type=Type.ID)


class Passwords:
    """
    Hashes and checks passwords without holding the event loop up.

    Two at a time: each takes 64 MiB, and a flood of sign-ins must not take the machine's memory.
    """

    def __init__(self, hasher: PasswordHasher = _HASHER) -> None:
        self._hasher = hasher
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def hash(self, password: str) -> str:
        """Return the PHC text of an Argon2id hash over the NFC form of *password* (NIST SP 800-63B-4 §3.1.1.2)."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, _canonical(password))

    async def is_right(self, password: str, held: str | None) -> bool:
        """
        Tell whether *password* is the one behind the hash.

        Args:
            held: PHC text; None for an unknown user, which costs the same work and is always wrong.
        """
        async with self._turns:
            nobodys = await asyncio.to_thread(_nobodys_hash, self._hasher)
            return await asyncio.to_thread(self._verify, held or nobodys, password) and held is not None

    def _verify(self, held: str, password: str) -> bool:
        try:
            return self._hasher.verify(held, _canonical(password))
        except VerificationError:
            return False


@cache
def _nobodys_hash(hasher: PasswordHasher) -> str:
    """Return what the password of an unknown user is compared with; made once in a process."""
    return hasher.hash("nobody")


def _canonical(password: str) -> bytes:
    """Return the bytes that are hashed: the same for the same characters, however a keyboard composed them."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
