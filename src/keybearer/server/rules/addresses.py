"""Email addresses: the form in which one is kept, and the form in which two are compared."""

import re
from dataclasses import dataclass
from typing import Final

import idna

from keybearer.server import refusals
from keybearer.server.refusals import Refusal

MAX_CHARACTERS: Final = 254
_MAX_LOCAL: Final = 64
_MAX_TYPED: Final = 1_000  # a domain in another script is longer in bytes than in the DNS, never that much
# Not with "=?", which begins an encoded word: a mail program may decode it, and write to somebody else.
_LOCAL: Final = re.compile(r"(?!.*=\?)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


@dataclass(frozen=True, slots=True)
class Address:
    """
    An email address.

    Args:
        shown: as it is kept and written to: the local part as typed, the domain in ASCII.
        key: the form in which two are compared: lower case.
    """

    shown: str
    key: str


def clean_address(text: str, field: str = "email") -> Address:
    """
    Return a typed address in the form in which it is kept.

    The local part is judged as typed: nothing is folded into ASCII that was not ASCII, so no two addresses meet by
    looking alike. The domain is folded first and judged afterwards, as names in the DNS are.

    Raises:
        Refusal: ``invalid``: it is not an address, or one that could be taken for another.

    Source: RFC 5321 §4.5.3.1, §2.3.5; RFC 5322 §3.2.3 (dot-atom; no quoted local parts); RFC 2047 §5 (encoded
        words have no place in one); UTS #46 (IDNA).
    """
    if len(text) > _MAX_TYPED:
        raise _too_long(field)
    local, _, domain = text.strip().partition("@")
    if not _LOCAL.fullmatch(local) or len(local) > _MAX_LOCAL:
        raise _not_an_address(field)
    try:
        folded = idna.encode(domain.removesuffix("."), uts46=True).decode("ascii")
    except idna.IDNAError:
        raise _not_an_address(field) from None
    if folded.rpartition(".")[2].isdigit():  # an IP address is nobody's mail domain
        raise _not_an_address(field)
    shown = f"{local}@{folded}"
    if len(shown) > MAX_CHARACTERS:
        raise _too_long(field)
    return Address(shown, shown.lower())


def _too_long(field: str) -> Refusal:
    return refusals.invalid(field, f"The address is too long. At most {MAX_CHARACTERS} characters are accepted.")


def _not_an_address(field: str) -> Refusal:
    return refusals.invalid(field, "This is not an email address. Enter one like name@example.com.")
