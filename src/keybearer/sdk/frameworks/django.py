"""For Django: every call has a good token, and a view says which permissions it demands."""

import asyncio
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.core.signals import setting_changed
from django.http import HttpRequest, HttpResponse, JsonResponse

from keybearer.sdk.faces import SyncFace
from keybearer.sdk.frameworks.answers import REFUSALS, Challenge, Refusal, demand, limit_headers, token_in
from keybearer.sdk.sync_verifier import SyncVerifier
from keybearer.wire.principal import Principal
from keybearer.wire.quota import Left


@lru_cache(maxsize=1)
def verifier() -> SyncFace:
    """
    Return the verifier of ``settings.KEYBEARER``: its ``VERIFIER``, or one for its ``URL`` and ``KEY``.

    One for each process: in a process that is forked it begins anew by itself.
    """
    about = settings.KEYBEARER
    return about["VERIFIER"] if "VERIFIER" in about else SyncVerifier(about["URL"], key=about["KEY"])


def challenge() -> Challenge:
    """Return how refusals are told: with ``RESOURCE_METADATA`` of ``settings.KEYBEARER``, if that is set."""
    return Challenge(settings.KEYBEARER.get("RESOURCE_METADATA"))


class KeybearerMiddleware:
    """
    Lets calls with a good token through, with ``request.principal``; answers the others 401, 429 or 503 itself.

    Paths in ``PUBLIC`` of ``settings.KEYBEARER`` need no token.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        """Answer a call, or hand it on."""
        if iscoroutinefunction(self):
            return self._called(request)
        try:
            if not _is_public(request):
                caller_of(request)
        except REFUSALS as refusal:
            return answered(refusal)
        response: HttpResponse = self._get_response(request)
        return telling_what_is_left(request, response)

    async def _called(self, request: HttpRequest) -> HttpResponse:
        try:
            if not _is_public(request):
                await caller_of_async(request)
        except REFUSALS as refusal:
            return answered(refusal)
        response: HttpResponse = await self._get_response(request)
        return telling_what_is_left(request, response)


def requires(*permissions: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """
    Return a decorator of views: the token must allow all of the *permissions*; with none, any good token does.

    It needs no middleware, and takes asynchronous views too.
    """

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def demanding(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            try:
                demand(caller_of(request), permissions)
            except REFUSALS as refusal:
                return telling_what_is_left(request, answered(refusal))
            return telling_what_is_left(request, view(request, *args, **kwargs))

        @wraps(view)
        async def demanding_async(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            try:
                demand(await caller_of_async(request), permissions)
            except REFUSALS as refusal:
                return telling_what_is_left(request, answered(refusal))
            return telling_what_is_left(request, await view(request, *args, **kwargs))

        return demanding_async if iscoroutinefunction(view) else demanding

    return decorate


def caller_of(request: HttpRequest) -> Principal:
    """Return who calls, and keep it as ``request.principal``: asked and counted once in a call."""
    principal: Principal | None = getattr(request, "principal", None)
    if principal is None:
        principal = verifier().verify(_token(request))
        request.keybearer_left = verifier().count(principal)
        request.principal = principal
    return principal


async def caller_of_async(request: HttpRequest) -> Principal:
    """Return who calls; the event loop is not held up while a server is asked."""
    principal: Principal | None = getattr(request, "principal", None)
    if principal is None:
        token = _token(request)
        principal = verifier().known(token)
        if principal is None:
            principal = await asyncio.to_thread(verifier().verify, token)
        left = verifier().counted(principal)
        request.keybearer_left = left or await asyncio.to_thread(verifier().count, principal)
        request.principal = principal
    return principal


def telling_what_is_left(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Say on an answer what its call leaves of the rate limit."""
    left: Left | None = getattr(request, "keybearer_left", None)
    if left is not None:
        for name, value in limit_headers(left).items():
            response.headers[name] = value
    return response


def answered(refusal: Refusal) -> HttpResponse:
    """Return a refusal as Django's answer."""
    answer = challenge().answer(refusal)
    return JsonResponse(answer.body, status=answer.status, headers=answer.headers)


def _token(request: HttpRequest) -> str:
    # Two headers reach Django as one, joined by a comma: no token has that.
    value = request.META.get("HTTP_AUTHORIZATION")
    return token_in([] if value is None else [value])


def _is_public(request: HttpRequest) -> bool:
    return request.path in settings.KEYBEARER.get("PUBLIC", ())


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "KEYBEARER":
        verifier.cache_clear()


setting_changed.connect(_forget)
