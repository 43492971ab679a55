"""How an answer to an authorization request travels: in the query of the app's own address."""

from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from keybearer.server.actions.decide_consent import Answered
from keybearer.server.http.same_origin import is_this_machine

_WEB: Final = frozenset({"http", "https"})


def answer_address(answer: Answered, issuer: str) -> str:
    """
    Return the address to which the browser is sent.

    The redirect URI stays as it was registered, its own query included; ours follows, percent-encoded.

    Source: RFC 6749 §3.1.2, §4.1.2, §4.1.2.1; RFC 9207 §2 (``iss`` in every answer, success or error).
    """
    parameters: dict[str, str] = {}
    if answer.refusal is not None:
        parameters = {"error": answer.refusal.code, "error_description": answer.refusal.public}
    if answer.code is not None:
        parameters["code"] = answer.code
    if answer.state is not None:
        parameters["state"] = answer.state
    parameters["iss"] = issuer
    separator = "&" if "?" in answer.redirect_uri else "?"
    return answer.redirect_uri + separator + urlencode(parameters, quote_via=quote, safe="")


def host_of(redirect_uri: str) -> str:
    """Return what a person should read of the place they are sent to: host and port, or the scheme of an app."""
    parts = urlsplit(redirect_uri)
    return parts.netloc if parts.scheme in _WEB else f"{parts.scheme}:"


def is_on_this_device(redirect_uri: str) -> bool:
    """Tell whether the place is an app on the person's own machine, not a site (RFC 8252 §7)."""
    parts = urlsplit(redirect_uri)
    return parts.scheme not in _WEB or is_this_machine(parts.hostname or "")


def policy_place(redirect_uri: str) -> str:
    """
    Return the place as a Content-Security-Policy names it: an origin, or a scheme where no origin can be named.

    An IPv6 address cannot be named there, and a private-use scheme has no host.

    Source: CSP3 §2.3.1 (host-source, scheme-source).
    """
    parts = urlsplit(redirect_uri)
    if parts.scheme in _WEB and not parts.netloc.startswith("["):
        return f"{parts.scheme}://{parts.netloc}"
    return f"{parts.scheme}:"
