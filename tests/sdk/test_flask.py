"""The layer for Flask: who is let through, and what the others are told."""

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from werkzeug import Response

from keybearer.flask import principal, protect, requires
from keybearer.testing import FakeSyncVerifier
from tests.sdk.cases import HEADERS, LIMITS, METADATA, READ, WRITE, Reply, every_answer_is_the_references


@pytest.fixture
def tokens() -> FakeSyncVerifier:
    return FakeSyncVerifier()


@pytest.fixture
def client(tokens: FakeSyncVerifier) -> FlaskClient:
    app = Flask(__name__)
    protect(app, tokens, public=["/health"], resource_metadata=METADATA)

    @app.get("/people")
    @requires(READ)
    def people() -> dict[str, int]:
        return {"user": principal.user_id}

    @app.post("/people")
    @requires(WRITE)
    def add() -> dict[str, int]:
        return {"user": principal.user_id}

    @app.get("/anything")
    def anything() -> dict[str, int]:
        return {}

    @app.route("/by-hand", methods=["OPTIONS"])
    def by_hand() -> dict[str, int]:
        return {}

    @app.get("/health")
    def health() -> dict[str, int]:
        return {}

    return app.test_client()


def called(client: FlaskClient, method: str, path: str, headers: list[str]) -> Reply:
    said = client.open(path, method=method, headers=[("Authorization", value) for value in headers])
    limits = tuple(said.headers.get(name) for name in LIMITS)
    return Reply(
        said.status_code, said.json, said.headers.get("WWW-Authenticate"), said.headers.get("Retry-After"), limits
    )


async def test_it_answers_as_the_reference_does(client: FlaskClient, tokens: FakeSyncVerifier) -> None:
    async def call(method: str, path: str, headers: list[str]) -> Reply:
        return called(client, method, path, headers)

    await every_answer_is_the_references(call, tokens)


@pytest.mark.parametrize(("headers", "status", "challenge"), HEADERS)
def test_the_header_alone_counts(
    client: FlaskClient, tokens: FakeSyncVerifier, headers: list[str], status: int, challenge: str | None
) -> None:
    text = tokens.issue(permissions=[READ])
    reply = called(client, "GET", "/people", [header.replace("{}", text) for header in headers])
    assert (reply.status, reply.challenge) == (status, challenge)


def test_a_view_that_demands_nothing_wants_a_token_all_the_same(client: FlaskClient, tokens: FakeSyncVerifier) -> None:
    assert called(client, "GET", "/anything", []).status == 401
    assert called(client, "GET", "/anything", [f"Bearer {tokens.issue()}"]).status == 200


def test_nobody_is_taken_for_the_caller_before_where_an_application_context_stays(
    client: FlaskClient, tokens: FakeSyncVerifier
) -> None:
    """What is kept in ``g`` is then there for the next call, too; many applications push one as they start."""
    with client.application.app_context():
        assert called(client, "GET", "/people", [f"Bearer {tokens.issue(permissions=[READ])}"]).status == 200
        assert called(client, "GET", "/people", []).status == 401
        other = tokens.issue(user_id=2, permissions=[READ])
        assert called(client, "GET", "/people", [f"Bearer {other}"]).body == {"user": 2}


def test_an_application_that_another_hands_the_call_on_to_asks_its_own_verifier(client: FlaskClient) -> None:
    outer, others = Flask("outer"), FakeSyncVerifier()
    protect(outer, others)

    @outer.get("/people")
    def handed_on() -> Response:
        return Response.from_app(client.application, request.environ)

    good_there_alone = f"Bearer {others.issue(permissions=[READ])}"
    assert called(outer.test_client(), "GET", "/people", [good_there_alone]).status == 401


def test_a_call_that_is_made_within_a_call_is_made_in_the_name_of_its_own_token(
    client: FlaskClient, tokens: FakeSyncVerifier
) -> None:
    @client.application.post("/batch")
    def batch() -> Response:
        """Make the call that the body is the header of."""
        own = {"PATH_INFO": "/people", "REQUEST_METHOD": "GET", "HTTP_AUTHORIZATION": request.get_data(as_text=True)}
        with client.application.request_context(request.environ | own):
            return client.application.full_dispatch_request()

    one, other = [f"Bearer {tokens.issue(user_id=user, permissions=[READ])}" for user in (1, 2)]
    said = [client.post("/batch", headers={"Authorization": one}, data=header) for header in (one, other, "Bearer x")]
    assert [(each.status_code, each.json) for each in said] == [
        (200, {"user": 1}),
        (200, {"user": 2}),
        (401, {"error": "Unauthenticated."}),
    ]


def test_a_browsers_question_before_a_call_from_another_origin_has_no_token(
    client: FlaskClient, tokens: FakeSyncVerifier
) -> None:
    """Fetch sends it without credentials, and takes no other status than 2xx for a yes."""
    said = client.options("/people", headers={"Origin": "https://app.example.com"})
    assert (said.status_code, set(said.headers["Allow"].split(", "))) == (200, {"GET", "HEAD", "OPTIONS", "POST"})
    assert not tokens.recorded
    for path in ("/nowhere", "/by-hand"):  # nobody but the application itself would answer
        assert client.options(path).status_code == 401, path
