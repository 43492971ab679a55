"""What comes in is bounded before anything reads it, and what goes out carries its protections."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from keybearer.server import clock
from keybearer.server.http.edge import Edge, Terms
from keybearer.server.http.intake import MAX_BODY_BYTES
from keybearer.server.metrics.requests import Requests


async def _echo(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def _fail(_: Request) -> Response:
    msg = "the secret inside"
    raise RuntimeError(msg)


@pytest.fixture
async def program() -> AsyncIterator[httpx2.AsyncClient]:
    edge = Middleware(Edge, terms=Terms("https://keybearer.test"), now=clock.now, requests=Requests())
    app = Starlette(routes=[Route("/echo", _echo, methods=["POST"]), Route("/fail", _fail)], middleware=[edge])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="https://keybearer.test") as client:
        yield client


async def test_a_body_at_the_limit_passes(program: httpx2.AsyncClient) -> None:
    assert (await program.post("/echo", content=b"x" * MAX_BODY_BYTES)).text == str(MAX_BODY_BYTES)


async def test_a_body_that_says_it_is_over_the_limit_is_413(program: httpx2.AsyncClient) -> None:
    assert (await program.post("/echo", content=b"x" * (MAX_BODY_BYTES + 1))).status_code == 413


async def test_a_body_that_does_not_say_how_long_it_is_is_counted(program: httpx2.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 1024 + 1):
            yield b"x" * 1024

    assert (await program.post("/echo", content=chunks())).status_code == 413


@pytest.mark.parametrize("length", ["-1", "1e3", "\u0661", "99999999999999999999", "0" * 5_000])
async def test_a_malformed_length_is_refused(program: httpx2.AsyncClient, length: str) -> None:
    answer = await program.post("/echo", headers=[(b"content-length", length.encode())], content=b"x")
    assert answer.status_code == 413


async def test_too_many_headers_are_431(program: httpx2.AsyncClient) -> None:
    assert (await program.post("/echo", headers={f"x-{n}": "y" for n in range(101)})).status_code == 431


async def test_too_long_headers_are_431(program: httpx2.AsyncClient) -> None:
    assert (await program.post("/echo", headers={"authorization": "Bearer " + "x" * 20_000})).status_code == 431


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
async def test_compressed_bodies_are_415(program: httpx2.AsyncClient, encoding: str) -> None:
    assert (await program.post("/echo", headers={"content-encoding": encoding}, content=b"x")).status_code == 415


async def test_a_fault_of_ours_is_a_500_that_tells_nothing_of_the_inside(program: httpx2.AsyncClient) -> None:
    answer = await program.get("/fail")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cache-control", "no-store"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ],
)
async def test_every_answer_carries_security_headers(program: httpx2.AsyncClient, header: str, value: str) -> None:
    assert (await program.post("/echo")).headers[header] == value


async def test_two_requests_have_two_ids(program: httpx2.AsyncClient) -> None:
    first, second = await program.post("/echo"), await program.post("/echo")
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
