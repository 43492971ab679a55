"""The middleware for ASGI and the dependency for FastAPI: who is let through, and what the others are told."""

from typing import Annotated, Any, Self

import httpx2
import pytest
from fastapi import FastAPI, WebSocket
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from keybearer import Principal
from keybearer.asgi import KeybearerMiddleware, principal_of
from keybearer.fastapi import protect, requires
from keybearer.testing import FakeVerifier
from tests.sdk.cases import HEADERS, LIMITS, METADATA, READ, WRITE, Call, Reply, every_answer_is_the_references

Reader = Annotated[Principal, requires(READ)]


class Watched(FakeVerifier):
    """Notes when it is started and closed."""

    def __init__(self) -> None:
        super().__init__()
        self.life: list[str] = []

    async def __aenter__(self) -> Self:
        self.life.append("started")
        return self

    async def close(self) -> None:
        self.life.append("closed")


@pytest.fixture
def tokens() -> Watched:
    return Watched()


def calling(app: Any) -> Call:
    async def call(method: str, path: str, headers: list[str]) -> Reply:
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="https://people.example.com") as client:
            said = await client.request(method, path, headers=[("authorization", value) for value in headers])
        limits = tuple(said.headers.get(name) for name in LIMITS)
        return Reply(
            said.status_code, said.json(), said.headers.get("www-authenticate"), said.headers.get("retry-after"), limits
        )

    return call


@pytest.fixture
def fastapi(tokens: Watched) -> FastAPI:
    app = FastAPI()
    protect(app, tokens, resource_metadata=METADATA)

    @app.get("/people")
    async def people(principal: Reader) -> dict[str, int]:
        return {"user": principal.user_id}

    @app.post("/people", dependencies=[requires(WRITE)])
    async def add(principal: Reader) -> dict[str, int]:
        return {"user": principal.user_id}

    @app.get("/health")
    async def health() -> dict[str, int]:
        return {}

    @app.websocket("/news")
    async def news(websocket: WebSocket, principal: Reader) -> None:
        await websocket.accept()
        await websocket.send_json(principal.user_id)
        await websocket.close()

    return app


@pytest.fixture
def asgi(tokens: Watched) -> Any:
    async def people(request: Request) -> JSONResponse:
        return JSONResponse({"user": principal_of(request.scope).user_id})

    async def health(request: Request) -> JSONResponse:
        with pytest.raises(LookupError):
            principal_of(request.scope)
        return JSONResponse({})

    def needed(scope: Any) -> list[str]:
        return [WRITE] if scope.get("method") == "POST" else []

    app = Starlette(routes=[Route("/people", people, methods=["GET", "POST"]), Route("/health", health)])
    return KeybearerMiddleware(app, tokens, needs=needed, public=["/health"], resource_metadata=METADATA)


async def test_fastapi_answers_as_the_reference_does(fastapi: FastAPI, tokens: Watched) -> None:
    await every_answer_is_the_references(calling(fastapi), tokens)


async def test_asgi_answers_as_the_reference_does(asgi: Any, tokens: Watched) -> None:
    await every_answer_is_the_references(calling(asgi), tokens)


async def test_a_call_whose_demands_cannot_be_told_is_recorded_as_failed(tokens: Watched) -> None:
    app = KeybearerMiddleware(Starlette(), tokens, needs=lambda scope: {}[scope["path"]])
    with pytest.raises(KeyError):
        await calling(app)("GET", "/people", [f"Bearer {tokens.issue()}"])
    assert [each.outcome.outcome for each in tokens.recorded] == ["failed"]


@pytest.mark.parametrize("kind", ["fastapi", "asgi"])
@pytest.mark.parametrize(("headers", "status", "challenge"), HEADERS)
async def test_the_header_alone_counts(
    request: pytest.FixtureRequest, tokens: Watched, kind: str, headers: list[str], status: int, challenge: str | None
) -> None:
    call = calling(request.getfixturevalue(kind))
    text = tokens.issue(permissions=[READ])
    reply = await call("GET", "/people", [header.replace("{}", text) for header in headers])
    assert (reply.status, reply.challenge) == (status, challenge)


async def test_what_a_call_leaves_is_told_once_where_one_application_is_mounted_in_another(
    fastapi: FastAPI, tokens: Watched
) -> None:
    around = FastAPI()
    around.mount("/v1", fastapi)
    protect(around, tokens)
    tokens.limit_calls(5)
    reply = await calling(around)("GET", "/v1/people", [f"Bearer {tokens.issue(permissions=[READ])}"])
    assert (reply.status, reply.limits) == (200, ("5", "4"))


async def test_an_application_that_is_mounted_in_another_asks_its_own_verifier(fastapi: FastAPI) -> None:
    around, others = FastAPI(), Watched()
    around.mount("/v1", fastapi)
    protect(around, others)
    good_there_alone = f"Bearer {others.issue(permissions=[READ])}"
    assert (await calling(around)("GET", "/v1/people", [good_there_alone])).status == 401


async def test_a_call_that_is_made_within_a_call_is_made_in_the_name_of_its_own_token(
    asgi: Any, tokens: Watched
) -> None:
    async def batch(scope: Any, receive: Any, send: Any) -> None:
        own = dict(scope["headers"])[b"x-own"]
        await asgi({**scope, "path": "/people", "headers": [(b"authorization", own)]}, receive, send)

    one, other = [f"Bearer {tokens.issue(user_id=user)}" for user in (1, 2)]
    transport = httpx2.ASGITransport(KeybearerMiddleware(batch, tokens))
    async with httpx2.AsyncClient(transport=transport, base_url="https://people.example.com") as client:
        for own, told in ((one, {"user": 1}), (other, {"user": 2}), ("Bearer x", {"error": "Unauthenticated."})):
            said = await client.get("/batch", headers={"authorization": one, "x-own": own})
            assert said.json() == told


def test_fastapi_describes_what_each_call_demands(fastapi: FastAPI) -> None:
    described = fastapi.openapi()
    scheme = described["components"]["securitySchemes"]["Keybearer"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert described["paths"]["/people"]["get"]["security"] == [{"Keybearer": [READ]}]
    assert described["paths"]["/people"]["post"]["security"] == [{"Keybearer": [WRITE, READ]}]
    assert "security" not in described["paths"]["/health"]["get"]


@pytest.mark.parametrize("kind", ["fastapi", "asgi"])
def test_the_verifier_lives_as_long_as_the_application(
    request: pytest.FixtureRequest, tokens: Watched, kind: str
) -> None:
    with TestClient(request.getfixturevalue(kind)):
        assert tokens.life == ["started"]
    assert tokens.life == ["started", "closed"]


@pytest.mark.parametrize("kind", ["fastapi", "asgi"])
async def test_the_verifier_is_closed_before_the_server_hears_that_the_application_has_ended(
    request: pytest.FixtureRequest, tokens: Watched, kind: str
) -> None:
    """Servers end the task, or the process, as soon as they hear that: records would not be shipped."""
    life_when_told: dict[str, list[str]] = {}
    asked = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> Any:
        return {"type": next(asked)}

    async def send(message: Any) -> None:
        life_when_told[message["type"]] = list(tokens.life)

    await request.getfixturevalue(kind)({"type": "lifespan", "state": {}}, receive, send)
    assert life_when_told == {
        "lifespan.startup.complete": ["started"],
        "lifespan.shutdown.complete": ["started", "closed"],
    }
    assert tokens.life == ["started", "closed"]


@pytest.mark.parametrize("kind", ["fastapi", "asgi"])
async def test_the_server_hears_that_the_application_has_ended_where_the_verifier_cannot_be_closed(
    request: pytest.FixtureRequest, tokens: Watched, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise OSError("the disk")

    monkeypatch.setattr(type(tokens), "__aexit__", broken)
    asked, told = iter(["lifespan.startup", "lifespan.shutdown"]), list[str]()

    async def receive() -> Any:
        return {"type": next(asked)}

    async def send(message: Any) -> None:
        told.append(message["type"])

    with pytest.raises(OSError, match="the disk"):
        await request.getfixturevalue(kind)({"type": "lifespan", "state": {}}, receive, send)
    assert "lifespan.shutdown.complete" in told


async def test_it_is_not_closed_where_the_application_knows_nothing_of_a_beginning_and_an_end(tokens: Watched) -> None:
    """Servers serve such an application all the same; the verifier begins with the first token."""

    async def refusing(scope: Any, _receive: Any, _send: Any) -> None:
        assert scope["type"] == "http", "as Django says it"

    async def ignoring(_scope: Any, _receive: Any, _send: Any) -> None:
        pass

    async def never(*_: Any) -> Any:
        raise AssertionError("nobody is asked or told anything")

    with pytest.raises(AssertionError, match="as Django says it"):
        await KeybearerMiddleware(refusing, tokens)({"type": "lifespan"}, never, never)
    await KeybearerMiddleware(ignoring, tokens)({"type": "lifespan"}, never, never)
    assert tokens.life == []


def test_an_application_that_fails_to_begin_is_not_served(tokens: Watched) -> None:
    async def failing(_scope: Any, receive: Any, _send: Any) -> None:
        await receive()
        msg = "no database"
        raise LookupError(msg)

    with pytest.raises(LookupError, match="no database"), TestClient(KeybearerMiddleware(failing, tokens)):
        pass
    assert tokens.life == ["started", "closed"]


@pytest.mark.parametrize("kind", ["fastapi", "asgi"])
def test_a_web_socket_without_a_token_is_not_opened(request: pytest.FixtureRequest, kind: str) -> None:
    with TestClient(request.getfixturevalue(kind)) as client, pytest.raises(WebSocketDenialResponse) as denied:
        client.websocket_connect("/news").__enter__()
    assert denied.value.status_code == 401
    assert denied.value.json() == {"error": "Unauthenticated."}


async def test_a_web_socket_is_closed_where_it_can_be_given_no_answer(asgi: Any) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise WebSocketDisconnect

    await asgi({"type": "websocket", "path": "/news", "headers": []}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008, "reason": ""}]


def test_a_web_socket_with_a_token_is_opened(fastapi: FastAPI, tokens: Watched) -> None:
    headers = {"authorization": f"Bearer {tokens.issue(user_id=3, permissions=[READ])}"}
    with TestClient(fastapi) as client, client.websocket_connect("/news", headers=headers) as news:
        assert news.receive_json() == 3
