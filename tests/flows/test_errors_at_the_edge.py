"""What the outermost door refuses, and what breaks behind it, is told to people on a page and to programs in JSON."""

import httpx2
import pytest
from starlette.types import Receive, Scope, Send

from keybearer.server.http.intake import MAX_BODY_BYTES
from tests.support.house import House

PEOPLE, PROGRAMS = "/login", "/oauth/token"
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


async def test_a_programs_request_that_is_too_large_is_refused_in_json(house: House) -> None:
    answer = await house.program().post(PROGRAMS, content=TOO_MUCH)
    assert answer.status_code == 413
    assert list(answer.json()) == ["message"]


@pytest.mark.parametrize("path", [PEOPLE, "/docs"])
async def test_what_breaks_at_a_page_is_told_on_a_page_with_an_id_to_quote(house: House, path: str) -> None:
    break_door(house, path)
    answer = await house.program().get(path)
    assert answer.status_code == 500
    assert is_page(answer, "Something went wrong here")
    assert answer.headers["x-request-id"] in answer.text
    assert "secret" not in answer.text


async def test_what_breaks_at_a_programs_door_is_told_in_json(house: House) -> None:
    break_door(house, "/openapi.json")
    answer = await house.program().get("/openapi.json")
    assert answer.status_code == 500
    assert list(answer.json()) == ["message"]
    assert "secret" not in answer.text
