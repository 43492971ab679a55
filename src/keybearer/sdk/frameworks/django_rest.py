"""For Django REST framework: an authentication class, and permission classes that demand what a token must allow."""

from dataclasses import dataclass
from typing import Any, NoReturn

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from keybearer.sdk.errors import InvalidToken, RateLimited, Unavailable
from keybearer.sdk.frameworks.answers import REFUSALS, Refusal, demand, warn_once
from keybearer.sdk.frameworks.django import caller_of, challenge
from keybearer.wire.denial import Denial, Reason
from keybearer.wire.principal import Principal


@dataclass(frozen=True, slots=True)
class ApiUser:
    """Who calls, as REST framework wants a ``request.user``; ``request.auth`` is the principal itself."""

    principal: Principal
    is_authenticated: bool = True

    @property
    def pk(self) -> int:
        """The user's id at the Keybearer server."""
        return self.principal.user_id

    def __str__(self) -> str:
        return self.principal.user_email


class KeybearerAuthentication(BaseAuthentication):
    """Finds out who calls by the bearer token of the request; a call without one is left to other classes."""

    def authenticate(self, request: Request) -> tuple[ApiUser, Principal] | None:
        """
        Return who calls; None if the request says nothing of a bearer.

        Raises:
            APIException: 401, 429 or 503.
        """
        if not request.META.get("HTTP_AUTHORIZATION", "").lower().startswith("bearer"):
            return None
        try:
            principal = caller_of(request._request)  # noqa: SLF001 - the way that REST framework documents
        except REFUSALS as refusal:
            _raise(refusal)
        return ApiUser(principal), principal

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge that goes with REST framework's own 401."""
        del request
        return "Bearer"


def needs(*permissions: str) -> type[BasePermission]:
    """Return a permission class: the token must allow all of the *permissions*; with none, any good token does."""

    class Needs(BasePermission):
        """Demands a token, and what it must allow."""

        def has_permission(self, request: Request, view: Any) -> bool:
            """Return True, or raise what is answered."""
            del view
            try:
                demand(_acting(request), permissions)
            except REFUSALS as refusal:
                _raise(refusal)
            return True

    return Needs


def _acting(request: Request) -> Principal:
    """
    Return who calls, if it is they who are the ``request.user``: another authentication class may have found another.

    With a browser's session of one user and the token of another, the view would act as the first with what the second
    may do. A class that finds the user by the principal returns that as ``request.auth``, as ours does.
    """
    principal = caller_of(request._request)  # noqa: SLF001 - as above
    if request.successful_authenticator is not None and request.auth is not principal:
        warn_once("`needs` refuses calls whose request.user was found by another class than KeybearerAuthentication")
        raise InvalidToken(Denial(Reason.MISSING))
    return principal


def _raise(refusal: Refusal) -> NoReturn:
    """Raise a refusal as REST framework answers it: a body as it is, and two headers."""
    answer = challenge().answer(refusal)
    exception = APIException(answer.body)
    exception.detail = answer.body  # as it is, not as REST framework would word it
    exception.status_code = answer.status
    exception.auth_header = answer.headers.get("www-authenticate")
    if isinstance(refusal, Unavailable | RateLimited):
        exception.wait = refusal.retry_after_s
    raise exception from refusal
