"""Telephone numbers that people type."""

import re
from typing import Final

from keybearer.server import refusals

MAX_TELEPHONE: Final = 40
_FORM: Final = re.compile(r"\+?[0-9 ().\-/]+", re.ASCII)
_FEWEST_DIGITS: Final = 3
_MOST_DIGITS: Final = 15


def clean_telephone(text: str) -> str:
    """
    Return a typed number as it is kept: trimmed, otherwise the way its owner writes it.

    Raises:
        Refusal: ``invalid``: not three to fifteen digits with the usual signs between them.

    Source: ITU-T E.164 §6.2.1 (at most fifteen digits).
    """
    number = text.strip(" ")
    digits = sum(character.isdigit() for character in number)
    is_fit = len(number) <= MAX_TELEPHONE and _FORM.fullmatch(number) and _FEWEST_DIGITS <= digits <= _MOST_DIGITS
    if not is_fit:
        public = "Enter a telephone number: 3 to 15 digits, with + ( ) - . / and spaces only."
        raise refusals.invalid("telephone", public)
    return number
