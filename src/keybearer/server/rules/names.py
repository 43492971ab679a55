"""Names that people type: of users, teams, clients and tokens."""

import unicodedata
from typing import Final

from keybearer.server import refusals

MAX_USER_NAME: Final = 100
MAX_CLIENT_NAME: Final = 60
MAX_TOKEN_NAME: Final = 60

# Characters of these classes cannot be seen, or turn round what stands beside them (Unicode's bidi controls are Cf).
# The two joiners shape Persian, Indic scripts and emoji, and stay.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS: Final = "\u200c\u200d"


def clean_name(text: str, longest: int, field: str = "name") -> str:
    """
    Return a typed name as it is kept: trimmed, in Unicode's composed form.

    Args:
        longest: characters.
        field: the form's field, for the refusal.

    Raises:
        Refusal: ``invalid``: empty, too long, or with characters that nobody sees.

    Source: Unicode UAX #15 (NFC); UAX #9 (bidi controls).
    """
    name = unicodedata.normalize("NFC", text.strip())
    if not name.strip(_JOINERS):
        raise refusals.invalid(field, "Enter a name.")
    if len(name) > longest:
        raise refusals.invalid(field, f"The name is too long. At most {longest} characters are accepted.")
    if any(unicodedata.category(character) in _UNSEEN and character not in _JOINERS for character in name):
        raise refusals.invalid(field, "The name has characters that cannot be seen. Type it anew.")
    return name


def name_key(name: str) -> str:
    """
    Return the form in which two names are compared: what looks the same to most people is the same.

    Source: Unicode §3.13, D145 (caseless matching after NFKC).
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())
