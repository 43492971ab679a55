"""What an API client must look like before it is kept."""

from dataclasses import dataclass
from typing import Final

from keybearer.server import refusals
from keybearer.server.refusals import Refusal, attempt
from keybearer.server.rules import redirect_uri
from keybearer.server.rules.names import MAX_CLIENT_NAME, clean_name

MAX_CLIENTS: Final = 50
MAX_SECRETS: Final = 5

KINDS: Final = ("confidential", "public")
PKCE: Final = ("optional", "required")


@dataclass(frozen=True, slots=True)
class Typed:
    """
    What a person typed and chose.

    Args:
        redirect_uris: parted by commas or line ends.
        kind: ``confidential`` or ``public``.
        pkce: ``required`` or ``optional``; public clients must in any case.
    """

    name: str
    redirect_uris: str
    kind: str
    pkce: str


@dataclass(frozen=True, slots=True)
class Details:
    """The same as it is kept."""

    name: str
    redirect_uris: tuple[str, ...]
    pkce: str


def details_of(typed: Typed, environment: str) -> Details:
    """
    Return a client's details as they are kept.

    Args:
        environment: ``live`` or ``sandbox``.

    Raises:
        Refusal: ``invalid``, with everything that is wrong, in the order of the form.

    Source: RFC 9700 §2.1.1 (public clients must use PKCE; others should).
    """
    wrong: list[Refusal] = []
    name = attempt(wrong, lambda: clean_name(typed.name, MAX_CLIENT_NAME))
    uris = redirect_uri.split(typed.redirect_uris)
    said = redirect_uri.problems(uris, typed.kind, environment)
    wrong += [refusals.invalid("redirect_uris", sentence) for sentence in said]
    if typed.kind not in KINDS:
        wrong.append(refusals.invalid("kind", "Choose what kind of app this is."))
    if typed.pkce not in PKCE:
        wrong.append(refusals.invalid("pkce", "Choose whether the app must use PKCE."))
    if wrong or name is None:
        raise refusals.all_invalid(wrong)
    return Details(name, uris, "required" if typed.kind == "public" else typed.pkce)
