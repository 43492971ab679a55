"""What an API's own people have got wrong is told to them, by an error or in their log; callers learn nothing."""

import logging
from typing import Annotated

import pytest
from fastapi import FastAPI
from flask import Flask
from flask.testing import FlaskClient
from starlette.testclient import TestClient

from keybearer import Principal
from keybearer.fastapi import requires
from keybearer.flask import principal, protect
from keybearer.flask import requires as requires_in_flask
from keybearer.sdk.frameworks import answers
from keybearer.testing import FakeSyncVerifier
from keybearer.wire.token_text import compose

OF_ANOTHER_ENVIRONMENT = compose("kb", "pat", "live", "g" * 32)


@pytest.fixture
def tokens() -> FakeSyncVerifier:
    return FakeSyncVerifier()


@pytest.fixture
def client(tokens: FakeSyncVerifier, caplog: pytest.LogCaptureFixture) -> FlaskClient:
    """Have an API whose view demands a misspelt permission, and whose log tells everything."""
    app = Flask(__name__)
    protect(app, tokens)

    @app.get("/people")
    @requires_in_flask("people:raed")
    def people() -> dict[str, int]:
        return {"user": principal.user_id}

    answers.warn_once.cache_clear()
    caplog.set_level(logging.INFO, logger="keybearer")
    return app.test_client()


def told(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [each.getMessage() for each in caplog.records if (each.name, each.levelno) == ("keybearer", level)]


def call(client: FlaskClient, token: str) -> int:
    return client.get("/people", headers={"Authorization": f"Bearer {token}"}).status_code


def test_the_log_says_why_each_call_was_refused(
    client: FlaskClient, tokens: FakeSyncVerifier, caplog: pytest.LogCaptureFixture
) -> None:
    token = tokens.issue()
    assert call(client, token) == 403
    tokens.revoke(token)
    assert call(client, token) == 401
    assert told(caplog, logging.INFO) == [
        "a call is answered 403: it needs people:raed",
        "a call is answered 401: revoked",
    ]


def test_a_token_of_another_environment_is_warned_of_once(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert [call(client, OF_ANOTHER_ENVIRONMENT) for _ in range(2)] == [401, 401]
    [warning] = told(caplog, logging.WARNING)
    assert "of another environment than this API's key" in warning


@pytest.mark.parametrize(("role", "warned"), [("owner", ["people:raed"]), ("member", [])])
def test_a_permission_that_not_even_an_owner_has_is_warned_of_once(
    client: FlaskClient, tokens: FakeSyncVerifier, caplog: pytest.LogCaptureFixture, role: str, warned: list[str]
) -> None:
    token = tokens.issue(role=role, permissions=["people:read"])
    assert [call(client, token) for _ in range(2)] == [403, 403]
    assert told(caplog, logging.WARNING) == [
        f"not even an owner's token allows {each}: is there such a permission at the server?" for each in warned
    ]


def test_an_application_that_was_not_protected_says_so() -> None:
    fastapi, flask = FastAPI(), Flask(__name__)

    @fastapi.get("/people")
    async def people(caller: Annotated[Principal, requires()]) -> int:
        return caller.user_id

    flask.add_url_rule("/people", view_func=requires_in_flask()(lambda: ""))
    flask.testing = True
    with pytest.raises(RuntimeError, match=r"keybearer\.fastapi\.protect"):
        TestClient(fastapi).get("/people")
    with pytest.raises(RuntimeError, match=r"keybearer\.flask\.protect"):
        flask.test_client().get("/people")
