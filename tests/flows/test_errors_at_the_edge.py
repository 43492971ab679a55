"""What the outermost door refuses, and what breaks behind it, is told to people on a page and to programs in JSON."""

from typing import Any

import httpx2
import pytest
from starlette.types import Receive, Scope, Send

from keybearer.server.http.intake import MAX_BODY_BYTES
from tests.support.house import House

PEOPLE = "/login"
TOO_MUCH = b"x" * (MAX_BODY_BYTES + 1)


def is_page(answer: httpx2.Response, heading: str) -> bool:
    return answer.headers["content-type"].startswith("text/html") and f"<h1>{heading}</h1>" in answer.text


def break_door(house: House, path: str) -> None:
    """Let the door at a path fail as nobody has foreseen."""

    async def fail(_scope: Scope, _receive: Receive, _send: Send) -> None:
        msg = "the secret inside"
        raise RuntimeError(msg)

    for route in house.app.router.routes:
        if getattr(route, "path", "") == path:
            route.app = fail  # type: ignore[attr-defined]


async def test_a_form_that_is_too_large_is_refused_on_a_page(house: House) -> None:
    answer = await house.program().post(PEOPLE, content=TOO_MUCH)
    assert answer.status_code == 413
    assert is_page(answer, "That is too large")
    assert answer.headers["connection"] == "close"


def word_of(answer: httpx2.Response, path: str) -> str:
    """Return the code that a program is told, once the body has the shape that this door always answers in."""
    body: dict[str, str] = answer.json()
    if path.startswith(("/oauth/", "/.well-known/")):
        assert body.keys() == {"error", "error_description"}
    elif path.startswith("/verifier/"):
        assert body.keys() == {"error", "message"}
    else:
        assert body.keys() == {"message"}
        return answer.headers["link"].partition("#")[2].partition(">")[0]
    return body["error"]


@pytest.mark.parametrize(
    ("status", "request_of", "word"),
    [
        pytest.param(413, {"content": TOO_MUCH}, "too_large", id="too large"),
        pytest.param(415, {"headers": {"content-encoding": "gzip"}}, "unsupported_media_type", id="compressed"),
        pytest.param(431, {"headers": dict.fromkeys(map("x-{}".format, range(101)), "")}, "malformed", id="headers"),
    ],
)
async def test_a_program_is_refused_in_the_words_of_the_door_it_came_to(
    house: House, status: int, request_of: dict[str, Any], word: str
) -> None:
    program = house.program()
    for path in ("/oauth/token", "/oauth/introspect", "/verifier/sync", "/api/v2/me"):
        answer = await program.post(path, **request_of)
        assert answer.status_code == status, path
        assert word_of(answer, path) == ("invalid_request" if path.startswith("/oauth/") else word), path
        assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("path", [PEOPLE, "/docs"])
async def test_what_breaks_at_a_page_is_told_on_a_page_with_an_id_to_quote(house: House, path: str) -> None:
    break_door(house, path)
    answer = await house.program().get(path)
    assert answer.status_code == 500
    assert is_page(answer, "Something went wrong here")
    assert answer.headers["x-request-id"] in answer.text
    assert "secret" not in answer.text


async def test_what_breaks_at_a_programs_door_is_told_in_its_words(house: House) -> None:
    for path in ("/openapi.json", "/.well-known/oauth-authorization-server"):
        break_door(house, path)
        answer = await house.program().get(path)
        assert answer.status_code == 500
        assert word_of(answer, path) == "server_error"
        assert "secret" not in answer.text
