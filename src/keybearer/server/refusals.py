"""Every way in which the server says no: a code, a public sentence, a private detail."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Refusal(Exception):
    """
    A no that is meant.

    Raised, it rolls the transaction back; returned, it lets what must be kept (a family ended, an attempt counted) be
    committed. Only ``http/errors.py`` and the pages turn it into a status.

    Args:
        code: an RFC's word (``invalid_grant``) or one of ours (``not_found``, ``forbidden``, ``invalid``).
        public: one sentence that may be shown: what is wrong and what to do.
        detail: for the log and the tests; never a secret, so nothing that was typed or sent: it may be one.
        field: the form field or property that is meant; empty for the whole request.
        retry_after_s: seconds after which trying again makes sense; 0 when it does not matter.
    """

    code: str
    public: str
    detail: str
    field: str = ""
    retry_after_s: int = 0
    others: tuple["Refusal", ...] = ()

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


def invalid(name: str, public: str, detail: str = "") -> Refusal:
    """Say that the field *name* is wrong, and what to do about it."""
    return Refusal("invalid", public, detail or public, name)


def all_invalid(refusals: list[Refusal]) -> Refusal:
    """Join what is wrong with several fields, so that a person mends them in one go; needs at least one."""
    first, *rest = refusals
    return Refusal(first.code, first.public, first.detail, first.field, others=tuple(rest))


def attempt(wrong: list[Refusal], judge: Callable[[], T]) -> T | None:
    """Return what *judge* says of one field; None, and its refusal added to *wrong*, if it refuses."""
    try:
        return judge()
    except Refusal as refusal:
        wrong.append(refusal)
        return None


def not_found(detail: str) -> Refusal:
    """Say that there is no such thing: the same for what does not exist and for what is another team's."""
    return Refusal("not_found", "There is nothing here.", detail)


def forbidden(detail: str) -> Refusal:
    """Say that the user's role does not allow this."""
    return Refusal("forbidden", "This action is unauthorized.", detail)


def too_many(detail: str, retry_after_s: int) -> Refusal:
    """Say that it was tried too often; *retry_after_s* seconds from now is early enough."""
    return Refusal(
        "too_many", f"Too many attempts. Try again in {_in_words(retry_after_s)}.", detail, "", retry_after_s
    )


def invalid_request(public: str, detail: str) -> Refusal:
    """Say that a parameter is missing, repeated or malformed (RFC 6749 §5.2)."""
    return Refusal("invalid_request", public, detail)


def invalid_client(detail: str) -> Refusal:
    """Say that the client did not authenticate (RFC 6749 §5.2); never which part was wrong."""
    return Refusal("invalid_client", "The client is unknown or its credentials are wrong.", detail)


def invalid_grant(detail: str) -> Refusal:
    """Say that a code or refresh token cannot be used (RFC 6749 §5.2); never why."""
    return Refusal(
        "invalid_grant", "The code or refresh token is invalid, expired, used, or not this client's.", detail
    )


def invalid_scope(public: str, detail: str) -> Refusal:
    """Say that the scope is unknown, or wider than what was granted (RFC 6749 §5.2)."""
    return Refusal("invalid_scope", public, detail)


def unauthorized_client(detail: str) -> Refusal:
    """Say that this client may not do this (RFC 6749 §5.2)."""
    return Refusal("unauthorized_client", "This client may not use this grant type.", detail)


def unsupported_grant_type(detail: str) -> Refusal:
    """Say that there is no such grant type here (RFC 6749 §5.2)."""
    return Refusal("unsupported_grant_type", "The grant types are authorization_code and refresh_token.", detail)


def _in_words(seconds: int) -> str:
    """Return a waiting time as a person says it."""
    if seconds < 60:
        return f"{seconds} second{'s' * (seconds != 1)}"
    minutes = -(-seconds // 60)
    return f"{minutes} minute{'s' * (minutes != 1)}"
