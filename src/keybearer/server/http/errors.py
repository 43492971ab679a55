"""The HTTP status of each refusal, and the JSON bodies in which programs are told."""

from typing import Final

from starlette.responses import Response

from keybearer.server.http.answers import NO_STORE, json_answer
from keybearer.server.refusals import Refusal

STATUS: Final = {
    "invalid": 422,
    "invalid_json": 422,
    "not_found": 404,
    "method_not_allowed": 405,
    "forbidden": 403,
    "cross_site": 403,
    "not_waiting": 403,
    "conflict": 409,
    "unauthenticated": 401,
    "too_large": 413,
    "unsupported_media_type": 415,
    "too_many": 429,
    "unavailable": 503,
    "malformed": 400,
    "server_error": 500,
    # RFC 6749 §5.2, RFC 7009 §2.2.1
    "invalid_request": 400,
    "invalid_client": 401,
    "invalid_grant": 400,
    "invalid_scope": 400,
    "unauthorized_client": 400,
    "unsupported_grant_type": 400,
    "unsupported_token_type": 400,
}


def status_of(refusal: Refusal) -> int:
    """Return the HTTP status of a refusal."""
    return STATUS[refusal.code]


def retry_headers(refusal: Refusal) -> dict[str, str]:
    """Return ``Retry-After`` where waiting helps (RFC 9110 §10.2.3)."""
    return {"retry-after": str(refusal.retry_after_s)} if refusal.retry_after_s else {}


def api_error(refusal: Refusal, docs_url: str) -> Response:
    """
    Return a refusal as the API's clients know it: the reference's bodies, and a link to what explains it.

    Args:
        docs_url: where the errors are explained, without a fragment.
    """
    headers = {"link": f'<{docs_url}#{refusal.code}>; rel="help"', **retry_headers(refusal)}
    return json_answer(_api_body(refusal), status_of(refusal), headers)


def _api_body(refusal: Refusal) -> dict[str, object]:
    if refusal.code == "unauthenticated":
        return {"error": "Unauthenticated."}
    if refusal.code == "invalid":
        by_field: dict[str, object] = {}
        for each in (refusal, *refusal.others):
            said = by_field.setdefault(each.field or "errors", [])
            assert isinstance(said, list)  # noqa: S101 - just put there
            said.append(each.public)
        return by_field
    if refusal.code == "invalid_json":
        return {"errors": [refusal.public]}
    return {"message": refusal.public}


def verifier_error(refusal: Refusal) -> Response:
    """Return a refusal as verifiers know it (RFC 9110 §11.6.1: a 401 says how to authenticate)."""
    headers = {**NO_STORE, **retry_headers(refusal)}
    if refusal.code == "unauthenticated":
        headers["www-authenticate"] = 'Bearer realm="verifier"'
    return json_answer({"error": refusal.code, "message": refusal.public}, status_of(refusal), headers)


def oauth_error(refusal: Refusal, challenge: str = "") -> Response:
    """
    Return a refusal as OAuth clients know it.

    Args:
        challenge: the ``WWW-Authenticate`` value where the client tried the Authorization header.

    Source: RFC 6749 §5.2.
    """
    headers = {**NO_STORE, **retry_headers(refusal)}
    if challenge:
        headers["www-authenticate"] = challenge
    code = refusal.code if refusal.code in _OAUTH_WORDS else _OAUTH_WORD_OF.get(refusal.code, "invalid_request")
    return json_answer({"error": code, "error_description": refusal.public}, status_of(refusal), headers)


_OAUTH_WORDS: Final = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_grant_type",
        "unsupported_token_type",
        "server_error",
    }
)
_OAUTH_WORD_OF: Final = {"too_many": "slow_down", "unavailable": "temporarily_unavailable"}
