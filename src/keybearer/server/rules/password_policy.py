"""Which passwords may be chosen: long ones that nobody guesses; no rules of composition."""

import unicodedata
from collections.abc import Iterable
from typing import Final

from keybearer.server import refusals
from keybearer.server.refusals import Refusal

MIN_CHARACTERS: Final = 15
MAX_CHARACTERS: Final = 256
LONGEST_TYPED: Final = 4 * MAX_CHARACTERS  # what NFC joins into one character is four at most (UAX #15: U+1F82)
_MIN_UNEXPECTED: Final = 8  # characters that are left once all that an attacker tries first is taken out
_MIN_DISTINCT: Final = 5
_SHORTEST_WORD: Final = 3
_TRIED_FIRST: Final = (
    "qwertzuiopasdfghjklyxcvbnm",
    "qwertyuiopasdfghjklzxcvbnm",
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiop",
    "qwertzuiop",
    "asdfghjkl",
    "1q2w3e4r5t6z7u8i9o0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "1234567890",
    "987654321",
    "123456789",
    "password",
    "passwort",
    "iloveyou",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "superman",
    "trustno1",
    "changeme",
    "letmein",
    "welcome",
    "dragon",
    "monkey",
    "qwerty",
    "qwertz",
    "123456",
    "12345",
    "abc123",
    "secret",
    "login",
    "admin",
)


def check_password(password: str, known: Iterable[str], field: str = "password") -> None:
    """
    Refuse a password that is too short, too long, or made of what is tried first.

    Args:
        known: words that belong to the account: its address, its name, the product's name.

    Raises:
        Refusal: ``invalid``, with what to do.

    Source: NIST SP 800-63B-4 §3.1.1.2 (15 characters where it is the only factor; a blocklist; no composition rules).
    """
    if len(password) > LONGEST_TYPED:
        raise _too_long(field)
    normal = unicodedata.normalize("NFC", password)
    if len(normal) < MIN_CHARACTERS:
        raise refusals.invalid(field, f"The password is too short. Use {MIN_CHARACTERS} characters or more.")
    if len(normal) > MAX_CHARACTERS:
        raise _too_long(field)
    if len(set(normal.casefold())) < _MIN_DISTINCT or len(_unexpected(normal.casefold(), known)) < _MIN_UNEXPECTED:
        raise refusals.invalid(field, "The password is easy to guess. Use a few words that have nothing in common.")


def _too_long(field: str) -> Refusal:
    return refusals.invalid(field, f"The password is too long. Use {MAX_CHARACTERS} characters at most.")


def _unexpected(password: str, known: Iterable[str]) -> str:
    """Return what is left of a password without the words that are tried first."""
    parts = {part.casefold() for word in known for part in (word, *word.split("@"), *word.split())}
    own = sorted((part for part in parts if len(part) > _SHORTEST_WORD), key=len, reverse=True)
    for word in (*own, *_TRIED_FIRST):
        password = password.replace(word, "")
    return password
