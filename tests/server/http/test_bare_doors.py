"""A bare door is left out of nothing that a route gets; what it raises is answered as a route's would be."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from keybearer.server import clock
from keybearer.server.http.bare_doors import BareDoor, BareDoors, bare_doors
from keybearer.server.http.edge import Edge, Terms
from keybearer.server.http.intake import MAX_BODY_BYTES
from keybearer.server.metrics.requests import Requests

PATHS = ["/bare", "/route"]


class _Trouble(Exception):
    """What the door raises."""


class _MoreTrouble(_Trouble):
    """A kind of it that has no handler of its own."""


async def _knock(request: Request) -> Response:
    body = await request.body()
    if body == b"trouble":
        raise _MoreTrouble
    if body == b"a fault":
        raise RuntimeError("the secret inside")
    return PlainTextResponse(f"{len(body)} at {request.scope['route'].path.removeprefix('/')}")


async def _told(_: Request, error: Exception) -> Response:
    return PlainTextResponse(type(error).__name__, 418)


@pytest.fixture
async def program() -> AsyncIterator[httpx2.AsyncClient]:
    routes = [BareDoor("/bare", _knock, methods=["POST"]), Route("/route", _knock, methods=["POST"])]
    edge = Middleware(Edge, terms=Terms("https://keybearer.test"), now=clock.now, requests=Requests())
    handlers = {_Trouble: _told}
    bare = Middleware(BareDoors, doors=bare_doors(routes), handlers=handlers)
    app = Starlette(routes=routes, middleware=[edge, bare], exception_handlers=dict(handlers))
    app.router.redirect_slashes = False
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="https://keybearer.test") as client:
        yield client


def test_only_bare_doors_are_open_to_it() -> None:
    door = BareDoor("/bare", _knock, methods=["POST", "OPTIONS"])
    assert bare_doors([Route("/route", _knock), door]) == {("POST", "/bare"): door, ("OPTIONS", "/bare"): door}


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [
        pytest.param("POST", b"four", 200, id="answered"),
        pytest.param("POST", b"trouble", 418, id="what it raises is handled, by the handler of its kind"),
        pytest.param("POST", b"a fault", 500, id="a fault of ours"),
        pytest.param("POST", b"x" * (MAX_BODY_BYTES + 1), 413, id="too large"),
        pytest.param("GET", b"", 405, id="a method that it does not have"),
        pytest.param("HEAD", b"", 405, id="a method that only doors for GET have"),
    ],
)
async def test_a_bare_door_answers_as_a_route_does(
    program: httpx2.AsyncClient, method: str, body: bytes, status: int
) -> None:
    bare, route = [await program.request(method, path, content=body) for path in PATHS]
    assert bare.status_code == route.status_code == status
    assert bare.text.replace("bare", "route") == route.text
    assert {*bare.headers} == {*route.headers}


async def test_a_path_that_only_begins_like_a_bare_door_is_not_one(program: httpx2.AsyncClient) -> None:
    assert [(await program.post(path)).status_code for path in ("/bare/", "/bare/x", "//bare", "/BARE")] == [404] * 4
