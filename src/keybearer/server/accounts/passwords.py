"""Argon2id, off the event loop, a few at a time."""

import asyncio
import secrets
import unicodedata
from base64 import b64encode
from collections.abc import Iterable
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import VerificationError

from keybearer.server.fair_turns import FairTurns
from keybearer.server.rules.password_policy import LONGEST_TYPED, check_password

_AT_ONCE: Final = 2


class Passwords:
    """
    Hashes and checks passwords without holding the event loop up.

    Two at a time: each takes 64 MiB, and a flood of sign-ins must not take the machine's memory. Nor may it take all
    turns: addresses have theirs one after the other.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher(time_cost=3, memory_cost=65536, parallelism=1, type=Type.ID)
        self._turns = FairTurns(_AT_ONCE)
        self._nobodys_hash = _hash_of_nothing(self._hasher)

    def check(self, password: str, known: Iterable[str], field: str) -> None:
        """
        Refuse a password that nobody should choose.

        Args:
            known: words that belong to the account: its address, its name, the product's name.
            field: the form's field, for the refusal.

        Raises:
            Refusal: ``invalid``, with what to do.
        """
        check_password(password, known, field)

    async def hash(self, password: str) -> str:
        """Return the PHC text of an Argon2id hash over the NFC form of *password* (NIST SP 800-63B-4 §3.1.1.2)."""
        async with self._turns.turn(""):
            return await asyncio.to_thread(self._hasher.hash, _canonical(password))

    async def is_right(self, password: str, held: str | None, source: str = "") -> bool:
        """
        Tell whether *password* is the one behind the hash.

        Args:
            held: PHC text; None for an unknown user, which costs the same work and is always wrong. So does, and is, a
                text that is longer than any password.
            source: where it was typed: those of one place have one turn after the other.
        """
        is_possible = held is not None and len(password) <= LONGEST_TYPED
        async with self._turns.turn(source):
            looked_at = held if held is not None and is_possible else self._nobodys_hash
            return await asyncio.to_thread(self._verify, looked_at, password[:LONGEST_TYPED]) and is_possible

    def _verify(self, held: str, password: str) -> bool:
        try:
            return self._hasher.verify(held, _canonical(password))
        except VerificationError:
            return False


def _hash_of_nothing(hasher: PasswordHasher) -> str:
    """Return a PHC text that costs what any other does to check, and that no password is known to fit."""
    salt, tag = (b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (16, 32))
    return f"$argon2id$v=19$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}${salt}${tag}"


def _canonical(password: str) -> bytes:
    """Return the bytes that are hashed: the same for the same characters, however a keyboard composed them."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
