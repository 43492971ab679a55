"""Reads the header that carries a token, and writes the refusals; the same for every framework."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from keybearer.sdk.errors import Forbidden, InvalidToken, RateLimited, Unavailable
from keybearer.wire.denial import Denial, Reason
from keybearer.wire.principal import Principal
from keybearer.wire.quota import UNCOUNTED, Left, used_up_in_words

Refusal = InvalidToken | Unavailable | RateLimited | Forbidden
REFUSALS: Final = (InvalidToken, Unavailable, RateLimited, Forbidden)

_LOG: Final = logging.getLogger("keybearer")
_OTHER_ENVIRONMENT: Final = (
    "a token was refused because it is of another environment than this API's key: tokens with _test_ in them need a "
    "key of `keybearer resource-server add NAME --environment sandbox`, those with _live_ one of `--environment live`"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; *body* is JSON."""

    status: int
    body: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Challenge:
    """
    How an API tells its callers what their token lacks.

    Args:
        resource_metadata: the address of the API's RFC 9728 metadata, where a client learns who gives tokens for it.
    """

    resource_metadata: str | None = None

    def answer(self, refusal: Refusal) -> Answer:
        """
        Return the answer to a call that is refused; it does not tell which check failed, the log does.

        Source: RFC 6750 §3 and §3.1; RFC 9728 §5.1.
        """
        answer = self._answer(refusal)
        _LOG.info("a call is answered %d: %s", answer.status, refusal)
        if isinstance(refusal, InvalidToken) and refusal.reason is Reason.WRONG_ENVIRONMENT:
            warn_once(_OTHER_ENVIRONMENT)
        return answer

    def _answer(self, refusal: Refusal) -> Answer:
        if isinstance(refusal, Unavailable):
            body = {"message": "The token cannot be checked at the moment."}
            return Answer(503, body, {"retry-after": str(refusal.retry_after_s)})
        if isinstance(refusal, RateLimited):
            headers = limit_headers(Left(refusal.limit, 0)) | {
                "retry-after": str(refusal.retry_after_s),
                "x-ratelimit-reset": str(refusal.reset_at),
            }
            return Answer(429, {"message": used_up_in_words(refusal.retry_after_s)}, headers)
        if isinstance(refusal, Forbidden):
            challenge = self._with("insufficient_scope", "The token does not allow this.", *refusal.permissions)
            return Answer(403, {"message": "This action is unauthorized."}, {"www-authenticate": challenge})
        # No error code where the request carried no credentials at all.
        is_missing = refusal.reason is Reason.MISSING
        challenge = self._with() if is_missing else self._with("invalid_token", "The token is not accepted.")
        return Answer(401, {"error": "Unauthenticated."}, {"www-authenticate": challenge})

    def _with(self, error: str = "", description: str = "", *scope: str) -> str:
        parts = {
            "realm": "api",
            "error": error,
            "error_description": description,
            "scope": " ".join(scope),
            "resource_metadata": self.resource_metadata or "",
        }
        return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parts.items() if value)


def token_in(headers: Sequence[str]) -> str:
    """
    Return the token out of a request's ``Authorization`` headers; nothing else of a request is ever looked at.

    Raises:
        InvalidToken: there is no such header, there are several, or it has another scheme.

    Source: RFC 6750 §2.1; RFC 9110 §11.1 (the scheme is case-insensitive), §5.5 (some servers leave blanks at the end).
    """
    if len(headers) == 1:
        scheme, _, token = headers[0].rstrip(" \t").partition(" ")
        if scheme.lower() == "bearer" and token:
            return token
    raise InvalidToken(Denial(Reason.MISSING))


def open_paths(public: Collection[str]) -> frozenset[str]:
    """
    Return the paths that need no token.

    Raises:
        TypeError: what is given is one text: each of its letters, "/" among them, would be taken for a path.
    """
    if isinstance(public, str):
        raise TypeError(f'the public paths must be a list: write ["{public}"], not "{public}" or ("{public}")')
    return frozenset(public)


def limit_headers(left: Left) -> dict[str, str]:
    """Return how an answer says what its call leaves of the rate limit; nothing if nobody counts."""
    if left is UNCOUNTED:
        return {}
    return {"x-ratelimit-limit": str(left.limit), "x-ratelimit-remaining": str(left.remaining)}


def demand(principal: Principal, permissions: Sequence[str]) -> None:
    """
    Return if the token allows all of the *permissions*.

    Raises:
        Forbidden: it does not.
    """
    if not all(principal.can(each) for each in permissions):
        if principal.role == "owner" and not principal.is_narrowed:
            lacking = ", ".join(each for each in permissions if not principal.can(each))
            warn_once(f"not even an owner's token allows {lacking}: is there such a permission at the server?")
        raise Forbidden(*permissions)


@lru_cache(100)  # a mistake in the API's own code or settings: whoever reads the log need not be told at each call
def warn_once(mistake: str) -> None:
    """Tell of a mistake that nobody but the API's own people can put right."""
    _LOG.warning("%s", mistake)
