"""Names that people type: of users, teams, clients and tokens."""

import unicodedata
from typing import Final

from keybearer.server import refusals
from keybearer.wire.token_text import parse

MAX_USER_NAME: Final = 100
MAX_TEAM_NAME: Final = 100
MAX_CLIENT_NAME: Final = 60
MAX_TOKEN_NAME: Final = 60

# Characters of these classes cannot be seen, or turn round what stands beside them (Unicode's bidi controls are Cf).
# The two joiners shape Persian, Indic scripts and emoji, and stay.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS: Final = "\u200c\u200d"
_LOOK_ALIKE: Final = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU"})


def clean_name(text: str, longest: int) -> str:
    """
    Return a typed name as it is kept: trimmed, in Unicode's composed form.

    Args:
        longest: characters.

    Raises:
        Refusal: ``invalid``: empty, too long, with characters that nobody sees, or a secret pasted by mistake.

    Source: Unicode UAX #15 (NFC); UAX #9 (bidi controls).
    """
    name = unicodedata.normalize("NFC", text.strip())
    if not name.strip(_JOINERS):
        raise refusals.invalid("name", "Enter a name.")
    if parse(name) is not None:
        raise refusals.invalid("name", "This is a secret, not a name. Keep it to yourself, and type a name.")
    if len(name) > longest:
        raise refusals.invalid("name", f"The name is too long. At most {longest} characters are accepted.")
    if any(unicodedata.category(character) in _UNSEEN and character not in _JOINERS for character in name):
        raise refusals.invalid("name", "The name has characters that cannot be seen. Type it again.")
    return name


def may_mislead(name: str, product: str) -> bool:
    """
    Tell whether somebody could take the bearer of this *name* for somebody else.

    That is so when it speaks of the *product* itself, or when its letters are of scripts that have look-alikes in each
    other: a Cyrillic letter in a Latin word is seen by nobody.

    Source: Unicode UTS #39 §5.1 (mixed-script detection, for the scripts that look alike).
    """
    letters = (character for character in unicodedata.normalize("NFKC", name) if character.isalpha())
    scripts = {unicodedata.name(character, "").split(" ", 1)[0] for character in letters}
    return len(scripts & _LOOK_ALIKE) > 1 or name_key(product) in name_key(name)


def name_key(name: str) -> str:
    """
    Return the form in which two names are compared: what looks the same to most people is the same.

    Source: Unicode §3.13, D145 (caseless matching after NFKC).
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())
