"""For FastAPI: a dependency that demands permissions and stands in the API's own OpenAPI description."""

from typing import Any, Final

from fastapi import FastAPI, Security, WebSocket
from fastapi.openapi.models import HTTPBearer as BearerModel
from fastapi.requests import HTTPConnection
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase
from starlette.responses import JSONResponse

from keybearer.sdk.frameworks.answers import REFUSALS, Challenge, demand
from keybearer.sdk.frameworks.asgi import CALL, Running, caller_of, refuse
from keybearer.sdk.frameworks.recording import note_refusal
from keybearer.sdk.interfaces import VerifierInterface
from keybearer.wire.principal import Principal


def protect(app: FastAPI, verifier: VerifierInterface, *, resource_metadata: str | None = None) -> None:
    """
    Have `requires` ask *verifier*, run it with *app*, and answer refusals as the reference does.

    Args:
        resource_metadata: the address of the API's RFC 9728 metadata.
    """
    challenge = Challenge(resource_metadata)

    async def answered(connection: HTTPConnection, refusal: Exception) -> JSONResponse | None:
        assert isinstance(refusal, REFUSALS)  # noqa: S101 - registered for these alone
        note_refusal(connection.scope.get(CALL), refusal)
        answer = challenge.answer(refusal)
        if isinstance(connection, WebSocket):
            await refuse(answer, connection.scope, connection.send)
            return None
        return JSONResponse(answer.body, answer.status, answer.headers)

    app.state.keybearer = verifier
    app.add_middleware(Running, verifier=verifier)
    for refusal in REFUSALS:
        app.add_exception_handler(refusal, answered)  # type: ignore[arg-type] # Starlette hands it WebSockets too


def requires(*permissions: str) -> Any:
    """
    Return a dependency: who calls, if their token allows all of the *permissions*; with none, any good token does.

    ``principal: Annotated[Principal, requires("people:write")]``, or ``dependencies=[requires("people:read")]``.
    """
    return Security(_CALLER, scopes=list(permissions))


class _Caller(SecurityBase):
    """Finds out who calls; FastAPI describes it as a security scheme because of what it is."""

    def __init__(self) -> None:
        self.scheme_name = "Keybearer"
        self.model = BearerModel(description="A personal access token or an OAuth access token, as `Bearer`.")

    async def __call__(self, connection: HTTPConnection, needed: SecurityScopes) -> Principal:
        verifier: VerifierInterface | None = getattr(connection.app.state, "keybearer", None)
        if verifier is None:
            raise RuntimeError("`requires` has nobody to ask: call keybearer.fastapi.protect(app, verifier) first")
        principal = await caller_of(connection.scope, verifier, connection.headers.getlist("authorization"))
        demand(principal, needed.scopes)
        return principal


_CALLER: Final = _Caller()
