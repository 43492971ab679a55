"""What an API client must look like before it is kept."""

from typing import Final

from keybearer.server import refusals
from keybearer.server.refusals import Refusal
from keybearer.server.rules import redirect_uri
from keybearer.server.rules.names import MAX_CLIENT_NAME, clean_name

MAX_CLIENTS: Final = 50
MAX_SECRETS: Final = 5

KINDS: Final = ("confidential", "public")


def details_of(name: str, redirect_uris: str, kind: str, environment: str) -> tuple[str, tuple[str, ...]]:
    """
    Return a client's name and redirect URIs as they are kept.

    Args:
        name: as typed.
        redirect_uris: as typed, parted by commas or line ends.
        environment: ``live`` or ``sandbox``.

    Raises:
        Refusal: ``invalid``, with everything that is wrong.
    """
    wrong = [] if kind in KINDS else [refusals.invalid("kind", "Choose what kind of app this is.")]
    try:
        kept = clean_name(name, MAX_CLIENT_NAME)
    except Refusal as refusal:
        kept = ""
        wrong.append(refusal)
    uris = redirect_uri.split(redirect_uris)
    said = redirect_uri.problems(uris, kind, environment)
    wrong += [refusals.invalid("redirect_uris", sentence) for sentence in said]
    if wrong:
        raise refusals.all_invalid(wrong)
    return kept, uris


def pkce_of(kind: str, pkce: str) -> str:
    """
    Return whether the client must use PKCE: ``required`` or ``optional``.

    Source: RFC 9700 §2.1.1 (public clients must; others should).
    """
    return "required" if kind == "public" or pkce == "required" else "optional"
