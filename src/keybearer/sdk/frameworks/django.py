"""For Django: every call has a good token, and a view says which permissions it demands."""

import asyncio
from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from typing import Any, Final, Self

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, SuspiciousOperation
from django.core.signals import setting_changed
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse

from keybearer.reporting.asked import Asked
from keybearer.reporting.calls import Call
from keybearer.sdk.errors import InvalidToken, Unavailable
from keybearer.sdk.frameworks.answers import REFUSALS, Challenge, Refusal, demand, limit_headers, open_paths, token_in
from keybearer.sdk.frameworks.recording import answerable, begun, begun_refused, ended, note_refusal, wait_answerable
from keybearer.sdk.interfaces import SyncVerifierInterface
from keybearer.sdk.sync_verifier import SyncVerifier
from keybearer.wire.principal import Principal
from keybearer.wire.quota import Left

_CALL: Final = "keybearer_call"
_BROKEN: Final = 500
_STATUS_OF: Final = {Http404: 404, PermissionDenied: 403, SuspiciousOperation: 400}


@lru_cache(maxsize=1)
def verifier() -> SyncVerifierInterface:
    """
    Return the verifier of ``settings.KEYBEARER``: its ``VERIFIER``, or one for its ``URL``, ``KEY`` and ``ACTIVITY``.

    One for each process: in a process that is forked it begins anew by itself.

    Raises:
        ImproperlyConfigured: neither is there.
    """
    about = _about()
    if "VERIFIER" in about:
        given: SyncVerifierInterface = about["VERIFIER"]
        return given
    if "URL" in about and "KEY" in about:
        made = SyncVerifier(about["URL"], key=about["KEY"])
        # Not where the settings are read: each `manage.py` command does that, and by whomever it is run.
        return made.reporting(about["ACTIVITY"]) if "ACTIVITY" in about else made
    raise ImproperlyConfigured('keybearer.django needs the setting KEYBEARER = {"URL": …, "KEY": …}')


def challenge() -> Challenge:
    """Return how refusals are told: with ``RESOURCE_METADATA`` of ``settings.KEYBEARER``, if that is set."""
    return Challenge(_about().get("RESOURCE_METADATA"))


def principal_of(request: HttpRequest) -> Principal:
    """
    Return who calls: ``request.principal``, for code whose types are checked.

    Raises:
        LookupError: nobody was asked about this call: its view has no `requires`, and there is no middleware.
    """
    principal: Principal | None = getattr(request, "principal", None)
    if principal is None:
        raise LookupError("no token was verified for this call")
    return principal


class KeybearerMiddleware:
    """
    Lets calls with a good token through, with ``request.principal``; answers the others 401, 429 or 503 itself.

    Paths in ``PUBLIC`` of ``settings.KEYBEARER`` need no token.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        _public()  # a mistake there is told at the start
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        """Answer a call, or hand it on."""
        if iscoroutinefunction(self):
            return self._called(request)
        with _Recording(request) as recording:
            try:
                if not _is_public(request):
                    caller_of(request)
            except REFUSALS as refusal:
                return recording.ended(answered(refusal, request))
            return recording.ended(self._get_response(request))

    async def _called(self, request: HttpRequest) -> HttpResponse:
        with _Recording(request) as recording:
            try:
                if not _is_public(request):
                    await caller_of_async(request)
            except REFUSALS as refusal:
                return await recording.ended_async(answered(refusal, request))
            return await recording.ended_async(await self._get_response(request))


def requires(*permissions: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """
    Return a decorator of views: the token must allow all of the *permissions*; with none, any good token does.

    It needs no middleware, and takes asynchronous views too. The view is exempt from Django's check against forgery: no
    browser sends a bearer token by itself, so no other site can have one make the call.
    """

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def demanding(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            with _Recording(request) as recording:
                try:
                    demand(caller_of(request), permissions)
                except REFUSALS as refusal:
                    return recording.ended(answered(refusal, request))
                return recording.ended(view(request, *args, **kwargs))

        @wraps(view)
        async def demanding_async(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            with _Recording(request) as recording:
                try:
                    demand(await caller_of_async(request), permissions)
                except REFUSALS as refusal:
                    return await recording.ended_async(answered(refusal, request))
                return await recording.ended_async(await view(request, *args, **kwargs))

        decorated: Callable[..., Any] = demanding_async if iscoroutinefunction(view) else demanding
        decorated.csrf_exempt = True  # type: ignore[attr-defined] # as Django's own decorator does
        return decorated

    return decorate


def caller_of(request: HttpRequest) -> Principal:
    """Return who calls, and keep it as ``request.principal``: asked and counted once in a call."""
    principal: Principal | None = getattr(request, "principal", None)
    if principal is None:
        try:
            principal = verifier().verify(_token(request))
        except InvalidToken as refusal:
            _begin_refused(request, refusal)
            raise
        _begin(request, principal)
        request.keybearer_left = verifier().count(principal)
        request.principal = principal
    return principal


async def caller_of_async(request: HttpRequest) -> Principal:
    """Return who calls; the event loop is not held up while a server is asked."""
    known: Principal | None = getattr(request, "principal", None)
    if known is not None:
        return known
    token = _token(request)
    principal = verifier().known(token)
    try:
        if principal is None:
            principal = await asyncio.to_thread(verifier().verify, token)
    except InvalidToken as refusal:
        _begin_refused(request, refusal)
        raise
    _begin(request, principal)
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


def answered(refusal: Refusal, request: HttpRequest | None = None) -> HttpResponse:
    """Return a refusal as Django's answer, and have the record of *request* say why."""
    note_refusal(getattr(request, _CALL, None), refusal)
    answer = challenge().answer(refusal)
    return JsonResponse(answer.body, status=answer.status, headers=answer.headers)


class _Recording:
    """Has the record of a call end with its answer; of those who handle it only the outermost does."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._is_outermost = not hasattr(request, _CALL)
        if self._is_outermost:
            setattr(request, _CALL, None)

    def __enter__(self) -> Self:
        """Begin nothing: that is for whoever finds out who calls."""
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """End the record of a call whose answer Django makes of an exception."""
        if error is not None and self._is_outermost:
            status = next((status for known, status in _STATUS_OF.items() if isinstance(error, known)), _BROKEN)
            ended(self._call, status, _route(self._request))

    def ended(self, response: HttpResponse) -> HttpResponse:
        """Return the answer once it is recorded, or the one that says that it cannot be."""
        try:
            wait_answerable(verifier(), self._end(response))
        except Unavailable as refusal:
            return answered(refusal)
        return telling_what_is_left(self._request, response)

    async def ended_async(self, response: HttpResponse) -> HttpResponse:
        """Return the answer once it is recorded, or the one that says that it cannot be."""
        try:
            await answerable(verifier(), self._end(response))
        except Unavailable as refusal:
            return answered(refusal)
        return telling_what_is_left(self._request, response)

    @property
    def _call(self) -> Call | None:
        call: Call | None = getattr(self._request, _CALL)
        return call

    def _end(self, response: HttpResponse) -> int:
        return ended(self._call, response.status_code, _route(self._request)) if self._is_outermost else 0


def _begin(request: HttpRequest, principal: Principal) -> None:
    if hasattr(request, _CALL):  # else nobody would end it
        setattr(request, _CALL, begun(verifier(), principal.bearer, _asked(request)))


def _begin_refused(request: HttpRequest, refusal: InvalidToken) -> None:
    if hasattr(request, _CALL):
        setattr(request, _CALL, begun_refused(verifier(), refusal, _asked(request)))


def _asked(request: HttpRequest) -> Asked:
    about = request.META
    return Asked(
        request.method,
        _route(request),
        about.get("HTTP_X_REQUEST_ID"),
        about.get("REMOTE_ADDR"),
        about.get("HTTP_USER_AGENT"),
    )


def _route(request: HttpRequest) -> str | None:
    """Return the template of the path; never the path."""
    return None if request.resolver_match is None else f"/{request.resolver_match.route}"


def _token(request: HttpRequest) -> str:
    # Two headers reach Django as one, joined by a comma: no token has that.
    value = request.META.get("HTTP_AUTHORIZATION")
    return token_in([] if value is None else [value])


def _is_public(request: HttpRequest) -> bool:
    return request.path in _public()


@lru_cache(maxsize=1)
def _public() -> frozenset[str]:
    try:
        return open_paths(_about().get("PUBLIC", ()))
    except TypeError as error:
        raise ImproperlyConfigured(f"PUBLIC in the setting KEYBEARER: {error}") from error


def _about() -> Mapping[str, Any]:
    return getattr(settings, "KEYBEARER", None) or {}


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "KEYBEARER":
        verifier.cache_clear()
        _public.cache_clear()


setting_changed.connect(_forget)
