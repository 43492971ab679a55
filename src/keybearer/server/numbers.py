"""Numbers that come in as text."""

from typing import Final

_LARGEST: Final = 2**63 - 1


def number_in(text: str) -> int | None:
    """Return the whole number that *text* writes in plain digits; None if it is not one, or too large for any row."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_LARGEST))):
        return None
    number = int(text)
    return number if number <= _LARGEST else None
