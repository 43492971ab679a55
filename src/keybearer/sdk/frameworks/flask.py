"""For Flask: every call has a good token, and a view says which permissions it demands."""

from collections.abc import Callable, Collection
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Flask, Response, current_app, g, jsonify, request
from werkzeug.local import LocalProxy

from keybearer.sdk.faces import SyncFace
from keybearer.sdk.frameworks.answers import REFUSALS, Challenge, Refusal, demand, limit_headers, token_in
from keybearer.wire.principal import Principal

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def protect(
    app: Flask, verifier: SyncFace, *, public: Collection[str] = (), resource_metadata: str | None = None
) -> None:
    """
    Let only calls with a good token through, and answer the others as the reference does.

    Args:
        public: paths that need no token, such as ``/healthz``.
        resource_metadata: the address of the API's RFC 9728 metadata.
    """
    challenge, open_paths = Challenge(resource_metadata), frozenset(public)
    app.extensions["keybearer"] = verifier

    def before() -> None:
        if request.path not in open_paths:
            _caller()

    def answered(refusal: Refusal) -> Response:
        answer = challenge.answer(refusal)
        response = jsonify(answer.body)
        response.status_code = answer.status
        response.headers.update(answer.headers)
        return response

    def tell_what_is_left(response: Response) -> Response:
        if "keybearer_left" in g:
            response.headers.update(limit_headers(g.keybearer_left))
        return response

    app.before_request(before)
    app.after_request(tell_what_is_left)
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
    if "principal" not in g:
        verifier: SyncFace = current_app.extensions["keybearer"]
        caller = verifier.verify(token_in(request.headers.getlist("Authorization")))
        g.keybearer_left = verifier.count(caller)
        g.principal = caller
    principal: Principal = g.principal
    return principal


principal: Principal = LocalProxy(_caller)  # type: ignore[assignment] # stands for who calls, as flask.request does
