"""The checks of an authorization request, in their order, each with its refusal."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from keybearer.server import refusals
from keybearer.server.records import Client
from keybearer.server.refusals import Refusal
from keybearer.server.rules import pkce
from keybearer.server.rules.narrowing import narrowing_of
from keybearer.server.rules.redirect_uri import is_registered

MAX_STATE_BYTES: Final = 2_048
MAX_SCOPE_LENGTH: Final = 2_048


@dataclass(frozen=True, slots=True)
class Asked:
    """The parameters of a request, each at most once; None for one that is absent or empty (RFC 6749 §3.1)."""

    client_id: str | None = None
    redirect_uri: str | None = None
    response_type: str | None = None
    response_mode: str | None = None
    state: str | None = None
    scope: str | None = None
    code_challenge: str | None = None
    code_challenge_method: str | None = None
    prompt: str | None = None
    request: str | None = None
    request_uri: str | None = None

    @property
    def prompts(self) -> frozenset[str]:
        """The words of ``prompt``."""
        return frozenset((self.prompt or "").split())


@dataclass(frozen=True, slots=True)
class Known:
    """What is known here of the client that asks."""

    client: Client
    redirect_uris: tuple[str, ...]
    permission_names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Examined:
    """
    A request whose client and place to return to are known to be good.

    Args:
        redirect_uri: where the answer goes.
        refusal: what the app is told there instead of a code; None if its user may be asked.
        is_trusted: whether some user has let the app in before.
    """

    client: Client
    redirect_uri: str
    redirect_uri_sent: str
    state: str | None
    narrowing: str
    scope: str
    challenge: str | None
    prompts: frozenset[str]
    is_trusted: bool
    refusal: Refusal | None


Check = Callable[[Asked, Known], Refusal | None]


def returns_to(asked: Asked, known: Known) -> str | None:
    """
    Return where the browser is sent with the answer; None if the request names no registered place.

    Source: RFC 6749 §3.1.2.3 (it may be left out where one is registered), RFC 9700 §2.1 (exact comparison).
    """
    if asked.redirect_uri is None:
        return known.redirect_uris[0] if len(known.redirect_uris) == 1 else None
    return asked.redirect_uri if is_registered(asked.redirect_uri, known.redirect_uris, known.client.kind) else None


def first_refusal(checks: tuple[Check, ...], asked: Asked, known: Known) -> Refusal | None:
    """Return the refusal of the first check that is not passed; None if all are."""
    return next((refusal for check in checks if (refusal := check(asked, known))), None)


def _names_its_place(asked: Asked, known: Known) -> Refusal | None:
    """Without a registered place there is nowhere to send the browser (RFC 6749 §4.1.2.1)."""
    if returns_to(asked, known) is not None:
        return None
    if asked.redirect_uri is None:
        public = "The app must say where to return to: it has several redirect URLs and its request names none."
        return refusals.invalid_request(public, "redirect_uri missing")
    public = "The app asked to return to an address that is not registered for it. Nothing was sent there."
    return refusals.invalid_request(public, "redirect_uri not registered")


def _state_fits(asked: Asked, known: Known) -> Refusal | None:  # noqa: ARG001 - every check has one signature
    """A state that cannot be given back whole is not given back at all, so there is no answer to redirect with."""
    state = asked.state or ""
    if len(state.encode()) > MAX_STATE_BYTES or "\0" in state:
        public = f"The app sent a state that cannot be returned. At most {MAX_STATE_BYTES} bytes are, and no NUL."
        return refusals.invalid_request(public, "state too long or with NUL")
    return None


def _has_no_request_object(asked: Asked, known: Known) -> Refusal | None:  # noqa: ARG001 - as above
    """Nothing is ever fetched because a browser says so (RFC 9101 §10.4)."""
    for name, value in (("request", asked.request), ("request_uri", asked.request_uri)):
        if value is not None:
            return Refusal(f"{name}_not_supported", f"The parameter {name} is not supported here.", f"{name} sent")
    return None


def _asks_for_a_code(asked: Asked, known: Known) -> Refusal | None:  # noqa: ARG001 - as above
    """The implicit grant and its mixtures do not exist here (RFC 9700 §2.1.2)."""
    if asked.response_type is None:
        return refusals.invalid_request("The parameter response_type is missing. Send code.", "response_type missing")
    if asked.response_type != "code":
        public = "The response type must be code."
        return Refusal("unsupported_response_type", public, "response_type unknown")
    return None


def _wants_it_in_the_query(asked: Asked, known: Known) -> Refusal | None:  # noqa: ARG001 - as above
    if asked.response_mode in {None, "query"}:
        return None
    return Refusal("unsupported_response_type", "The response mode must be query.", "response_mode unknown")


def _proves_possession(asked: Asked, known: Known) -> Refusal | None:
    """
    Demand PKCE where the client must use it, and only ever with S256.

    Source: RFC 7636 §4.3 (a missing method means plain), §4.4.1 (errors); RFC 9700 §2.1.1.
    """
    if asked.code_challenge is None:
        if asked.code_challenge_method is not None:
            return refusals.invalid_request("The parameter code_challenge is missing.", "code_challenge missing")
        if known.client.pkce == "required":
            public = "This app must send a code_challenge with the method S256."
            return refusals.invalid_request(public, "code_challenge required")
        return None
    if asked.code_challenge_method != "S256":
        public = "The parameter code_challenge_method must be S256."
        return refusals.invalid_request(public, "code_challenge_method is not S256")
    if not pkce.is_challenge(asked.code_challenge):
        public = "The code_challenge must be 43 characters of base64url without padding."
        return refusals.invalid_request(public, "code_challenge malformed")
    return None


def _names_known_scopes(asked: Asked, known: Known) -> Refusal | None:
    scope = asked.scope or ""
    if len(scope) > MAX_SCOPE_LENGTH or isinstance(narrowing_of(scope, known.permission_names), frozenset):
        public = "The scope names a permission that does not exist here."
        return refusals.invalid_scope(public, "scope unknown")
    return None


def _prompts_make_sense(asked: Asked, known: Known) -> Refusal | None:  # noqa: ARG001 - as above
    if "none" in asked.prompts and len(asked.prompts) > 1:
        public = "The prompt none cannot be combined with another."
        return refusals.invalid_request(public, "prompt none with others")
    return None


# Until these are passed a refusal is a page of ours: the browser is sent nowhere.
BEFORE_THE_PLACE_IS_KNOWN: Final[tuple[Check, ...]] = (
    _names_its_place,
    _state_fits,
)
# From here on a refusal is told to the app, at the place that is registered for it.
AFTER_THE_PLACE_IS_KNOWN: Final[tuple[Check, ...]] = (
    _has_no_request_object,
    _asks_for_a_code,
    _wants_it_in_the_query,
    _proves_possession,
    _names_known_scopes,
    _prompts_make_sense,
)
