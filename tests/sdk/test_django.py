"""The layers for Django and REST framework, synchronous and not: who is let through, and what the others are told."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import django
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, JsonResponse
from django.test import AsyncClient, Client, RequestFactory
from django.urls import path

from keybearer import ActivityLog, Principal, SyncVerifier
from keybearer.testing import FakeSyncVerifier
from keybearer.wire.quota import Left
from keybearer.wire.token_text import compose
from tests.sdk.cases import HEADERS, LIMITS, METADATA, READ, WRITE, Call, Reply, every_answer_is_the_references

MIDDLEWARE = "keybearer.django.KeybearerMiddleware"

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    KEYBEARER={},
    INSTALLED_APPS=["rest_framework"],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["keybearer.django.KeybearerAuthentication"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "UNAUTHENTICATED_USER": None,
    },
)
django.setup()

from django.test import override_settings  # noqa: E402 - REST framework reads the settings when it is imported
from rest_framework.authentication import BaseAuthentication  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

from keybearer.django import KeybearerAuthentication, needs, principal_of, requires, verifier  # noqa: E402


def view(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"user": request.principal.user_id})


async def view_async(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"user": request.principal.user_id})


def health(request: HttpRequest) -> JsonResponse:
    del request
    return JsonResponse({})


def by_method(reading: Any, writing: Any) -> Any:
    return lambda request: writing(request) if request.method == "POST" else reading(request)


async def people_async(request: HttpRequest) -> Any:
    needed = WRITE if request.method == "POST" else READ
    return await requires(needed)(view_async)(request)


class Sessions(BaseAuthentication):  # type: ignore[misc]
    """Finds the user of a browser's session, whoever that is."""

    def authenticate(self, request: Any) -> tuple[Any, None]:
        del request
        return SimpleNamespace(pk=9), None


class People(APIView):  # type: ignore[misc] # REST framework has no types
    def get_permissions(self) -> list[Any]:
        return [needs(WRITE)() if self.request.method == "POST" else needs(READ)()]

    def get(self, request: Any) -> Response:
        return Response({"user": request.user.pk})

    def post(self, request: Any) -> Response:
        return Response({"user": request.auth.user_id})


urlpatterns = [
    path("sync/people", by_method(requires(READ)(view), requires(WRITE)(view))),
    path("async/people", people_async),
    path("sync/adding", requires(WRITE)(view)),
    path("async/adding", requires(WRITE)(view_async)),
    path("rest/people", People.as_view()),
    path("sync/bare", view),
    path("async/bare", view_async),
    path("sync/health", health),
    path("async/health", health),
    path("rest/health", health),
]


@pytest.fixture
def tokens() -> Iterator[FakeSyncVerifier]:
    double = FakeSyncVerifier()
    public = ["/sync/health", "/async/health"]
    about = {"VERIFIER": double, "RESOURCE_METADATA": METADATA, "PUBLIC": public}
    with override_settings(KEYBEARER=about):
        yield double


def calling(kind: str) -> Call:
    async def call(method: str, place: str, headers: list[str]) -> Reply:
        joined = {"Authorization": ",".join(headers)} if headers else {}  # as servers hand several to Django
        where = f"/{kind}{place}"
        if kind == "async":
            said = await AsyncClient().generic(method, where, headers=joined)
        else:
            said = Client().generic(method, where, headers=joined)
        limits = tuple(said.get(name) for name in LIMITS)
        return Reply(said.status_code, said.json(), said.get("WWW-Authenticate"), said.get("Retry-After"), limits)

    return call


@pytest.mark.parametrize("middleware", [[], [MIDDLEWARE]], ids=["alone", "behind the middleware"])
@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_decorated_view_answers_as_the_reference_does(
    tokens: FakeSyncVerifier, kind: str, middleware: list[str]
) -> None:
    with override_settings(MIDDLEWARE=middleware):
        await every_answer_is_the_references(calling(kind), tokens)


class Miscounting(FakeSyncVerifier):
    """Breaks where it counts a call."""

    def count(self, principal: Principal) -> Left:
        raise ZeroDivisionError(principal)

    def counted(self, principal: Principal) -> None:
        """Have `count` called."""


@pytest.mark.parametrize("place", ["people", "bare"], ids=["by the decorator", "by the middleware"])
@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_call_that_cannot_be_counted_is_recorded_as_failed(kind: str, place: str) -> None:
    tokens = Miscounting()
    middleware = [MIDDLEWARE] if place == "bare" else []
    with override_settings(KEYBEARER={"VERIFIER": tokens}, MIDDLEWARE=middleware), pytest.raises(ZeroDivisionError):
        await calling(kind)("GET", f"/{place}", [f"Bearer {tokens.issue(permissions=[READ])}"])
    assert [each.outcome.outcome for each in tokens.recorded] == ["failed"]


async def test_rest_framework_answers_as_the_reference_does(tokens: FakeSyncVerifier) -> None:
    await every_answer_is_the_references(calling("rest"), tokens, tells_limits=False)


@pytest.mark.parametrize("kind", ["sync", "async", "rest"])
@pytest.mark.parametrize(("headers", "status", "challenge"), HEADERS)
async def test_the_header_alone_counts(
    tokens: FakeSyncVerifier, kind: str, headers: list[str], status: int, challenge: str | None
) -> None:
    text = tokens.issue(permissions=[READ])
    reply = await calling(kind)("GET", "/people", [header.replace("{}", text) for header in headers])
    assert (reply.status, reply.challenge) == (status, challenge)


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_behind_the_middleware_every_view_wants_a_token(tokens: FakeSyncVerifier, kind: str) -> None:
    with override_settings(MIDDLEWARE=[MIDDLEWARE]):
        assert (await calling(kind)("GET", "/bare", [])).status == 401
        reply = await calling(kind)("GET", "/bare", [f"Bearer {tokens.issue(user_id=4)}"])
        assert reply.body == {"user": 4}


def test_the_settings_name_the_folder_for_records_and_only_a_call_opens_it(tmp_path: Path) -> None:
    folder, key = tmp_path / "activity", compose("kb", "rsk", "live", "k" * 32)
    about = {"URL": "http://127.0.0.1:1", "KEY": key, "ACTIVITY": ActivityLog(folder)}
    with override_settings(KEYBEARER=about):
        assert not folder.exists()
        face = verifier()
        assert isinstance(face, SyncVerifier)
        assert face.reporter is not None
        assert len(list(folder.iterdir())) == 1
        face.reporter.close()


def test_the_settings_name_the_verifier(tokens: FakeSyncVerifier) -> None:
    assert verifier() is tokens


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_decorated_view_is_called_from_elsewhere_behind_djangos_check_against_forgery(
    tokens: FakeSyncVerifier, kind: str
) -> None:
    """A token is sent by no browser by itself, so nobody can forge such a call; the check would refuse every POST."""
    headers = {"Authorization": f"Bearer {tokens.issue(permissions=[WRITE])}"}
    with override_settings(MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"]):
        if kind == "async":
            said = await AsyncClient(enforce_csrf_checks=True).post("/async/adding", headers=headers)
        else:
            said = Client(enforce_csrf_checks=True).post("/sync/adding", headers=headers)
    assert said.status_code == 200


@pytest.mark.parametrize("about", [None, {}, {"URL": "https://auth.example.com"}])
def test_a_setting_that_is_not_there_is_named(about: Any) -> None:
    with override_settings(KEYBEARER=about, MIDDLEWARE=[MIDDLEWARE]):
        with pytest.raises(ImproperlyConfigured, match="KEYBEARER"):
            verifier()
        with pytest.raises(ImproperlyConfigured, match="KEYBEARER"):
            Client().get("/sync/bare")


def test_a_text_is_no_list_of_public_paths(tokens: FakeSyncVerifier) -> None:
    about = {"VERIFIER": tokens, "PUBLIC": ("/sync/bareheaded")}
    wrong = pytest.raises(ImproperlyConfigured, match=r'PUBLIC.*\["/sync/bareheaded"\]')
    with override_settings(KEYBEARER=about, MIDDLEWARE=[MIDDLEWARE]), wrong:
        Client().get("/sync/bare")


@pytest.mark.parametrize("first", [Sessions, KeybearerAuthentication])
def test_nobody_acts_as_the_user_of_a_session_with_what_anothers_token_allows(
    tokens: FakeSyncVerifier, first: type
) -> None:
    class Acting(APIView):  # type: ignore[misc]
        authentication_classes = (first, KeybearerAuthentication)
        permission_classes = (needs(READ),)

        def get(self, request: Any) -> Response:
            return Response({"user": request.user.pk})

    token = tokens.issue(user_id=4, permissions=[READ])
    said = Acting.as_view()(RequestFactory().get("/", headers={"Authorization": f"Bearer {token}"}))
    assert (said.status_code, said.data) == (
        (401, {"error": "Unauthenticated."}) if first is Sessions else (200, {"user": 4})
    )


def test_who_calls_is_told_to_code_whose_types_are_checked(tokens: FakeSyncVerifier) -> None:
    @requires()
    def mine(request: HttpRequest) -> JsonResponse:
        return JsonResponse({"user": principal_of(request).user_id})

    request = RequestFactory().get("/", headers={"Authorization": f"Bearer {tokens.issue(user_id=4)}"})
    with pytest.raises(LookupError):
        principal_of(request)
    assert mine(request).content == b'{"user": 4}'
