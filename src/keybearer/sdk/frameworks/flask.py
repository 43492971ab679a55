"""For Flask: every call has a good token, and a view says which permissions it demands."""

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from flask import Flask, Response, current_app, jsonify, request
from werkzeug.local import LocalProxy

from keybearer.reporting.asked import Asked
from keybearer.sdk.errors import InvalidToken, Unavailable
from keybearer.sdk.frameworks.answers import REFUSALS, Challenge, Refusal, demand, limit_headers, open_paths, token_in
from keybearer.sdk.frameworks.recording import begun, begun_refused, ended, note_refusal, wait_answerable
from keybearer.sdk.interfaces import SyncVerifierInterface
from keybearer.wire.principal import Principal

_KEPT: Final = "keybearer.flask"
_CALL: Final = "call"
_LEFT: Final = "left"
_PRINCIPAL: Final = "principal"
_BROKEN: Final = 500

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def protect(
    app: Flask, verifier: SyncVerifierInterface, *, public: Collection[str] = (), resource_metadata: str | None = None
) -> None:
    """
    Let only calls with a good token through, and answer the others as the reference does.

    A browser's question whether a page of another origin may call (an OPTIONS that Flask answers itself) has no token.

    Args:
        public: a list of paths that need no token, such as ``/healthz``; TypeError for a text alone.
        resource_metadata: the address of the API's RFC 9728 metadata.
    """
    challenge, needing_none = Challenge(resource_metadata), open_paths(public)
    app.extensions["keybearer"] = verifier

    def before() -> None:
        if request.path not in needing_none and not _is_answered_by_flask():
            _caller()

    def answered(refusal: Refusal) -> Response:
        note_refusal(_kept().get(_CALL), refusal)
        answer = challenge.answer(refusal)
        response = jsonify(answer.body)
        response.status_code = answer.status
        response.headers.update(answer.headers)
        return response

    def after(response: Response) -> Response:
        try:
            _end_record(verifier, response)
        except Unavailable as refusal:
            return answered(refusal)
        return response

    app.before_request(before)
    app.after_request(after)
    app.teardown_request(_over)
    for refusal in REFUSALS:
        app.register_error_handler(refusal, answered)


def requires(*permissions: str) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Return a decorator of views: the token must allow all of the *permissions*; with none, any good token does."""

    def decorate(view: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        @wraps(view)
        def demanding(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            demand(_caller(), permissions)
            return view(*args, **kwargs)

        return demanding

    return decorate


def _caller() -> Principal:
    """Return who calls; asked and counted once in a call."""
    kept = _kept()
    if _PRINCIPAL not in kept:
        verifier: SyncVerifierInterface | None = current_app.extensions.get("keybearer")
        if verifier is None:
            raise RuntimeError("there is nobody to ask: call keybearer.flask.protect(app, verifier) first")
        try:
            caller = verifier.verify(token_in(request.headers.getlist("Authorization")))
        except InvalidToken as refusal:
            kept[_CALL] = begun_refused(verifier, refusal, _asked())
            raise
        kept[_CALL] = begun(verifier, caller.bearer, _asked())
        kept[_LEFT] = verifier.count(caller)
        kept[_PRINCIPAL] = caller
    principal: Principal = kept[_PRINCIPAL]
    return principal


def _kept() -> dict[str, Any]:
    """
    Return what is kept of this call for this application and this token.

    Another application that hands it on has a verifier of its own, and a call that is made within a call may have a
    token of its own.

    It is kept with the request. Flask's ``g`` is one for all calls where an application context stays pushed, as many
    applications have it for their database: each caller would be taken for the first.
    """
    asked = (current_app.wsgi_app, request.environ.get("HTTP_AUTHORIZATION"))
    kept: dict[str, Any] = request.environ.setdefault(_KEPT, {}).setdefault(asked, {})
    return kept


def _is_answered_by_flask() -> bool:
    """Tell whether no view will see this request, but Flask says itself which methods there are (Fetch §3.3.5)."""
    return request.method == "OPTIONS" and getattr(request.url_rule, "provide_automatic_options", False)


def _end_record(verifier: SyncVerifierInterface, response: Response) -> None:
    """Have the answer recorded, and say on it what its call leaves of the rate limit."""
    kept = _kept()
    if _LEFT in kept:
        response.headers.update(limit_headers(kept[_LEFT]))
    wait_answerable(verifier, ended(kept.get(_CALL), response.status_code, _route()))


def _over(_: BaseException | None) -> None:
    """End the record of a call that was not answered."""
    ended(_kept().get(_CALL), _BROKEN, _route())


def _asked() -> Asked:
    headers = request.headers
    return Asked(request.method, _route(), headers.get("X-Request-Id"), request.remote_addr, headers.get("User-Agent"))


def _route() -> str | None:
    """Return the template of the path; never the path."""
    return None if request.url_rule is None else request.url_rule.rule


principal: Principal = LocalProxy(_caller)  # type: ignore[assignment] # stands for who calls, as flask.request does
