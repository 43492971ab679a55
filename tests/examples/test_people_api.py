"""The example API over real HTTP, as its users call it: every verb, every role, and nobody else's people."""

from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.examples.conftest import EXAMPLES, PeopleAPI, Town, running_api, running_town, until
from tests.support.databases import copy_sqlite

GRACE = {"name": "Grace Hopper", "email": "grace@example.com"}
HUGE = 2**63


def test_a_person_is_added_shown_changed_and_deleted(town: Town, api: PeopleAPI) -> None:
    owner = town.of("verbs")["owner"]
    answer = api.call("POST", "/people", owner, GRACE)
    added = answer.json()
    by = {"id": town.users["owner"], "name": "Owner"}
    told = {"object": "person", **GRACE, "assigned_to": None, "created_by": by, "updated_by": by}
    assert (answer.status_code, answer.headers["location"]) == (201, f"/people/{added['id']}")
    assert {name: value for name, value in added.items() if not name.endswith("_at")} == {"id": added["id"], **told}
    address = f"/people/{added['id']}"
    assert api.call("GET", address, owner).json() == added
    changed = api.call("PATCH", address, owner, {"name": "Grace M. Hopper"})
    assert (changed.status_code, changed.json()["name"]) == (200, "Grace M. Hopper")
    assert changed.json()["email"] == GRACE["email"]
    gone = api.call("DELETE", address, owner)
    assert (gone.status_code, gone.content) == (204, b"")
    for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
        again = api.call(method, address, owner, body)
        assert (again.status_code, again.json()) == (404, {"message": "There is no such person in this team."})


def test_it_is_told_in_whose_name_somebody_was_added_and_changed(town: Town, api: PeopleAPI) -> None:
    tokens = town.of("changes")
    added = api.add(tokens["owner"], **GRACE)
    changed = api.call("PATCH", f"/people/{added['id']}", tokens["member"], {"email": None}).json()
    assert (changed["name"], changed["email"]) == (GRACE["name"], None)
    assert (changed["created_by"]["name"], changed["updated_by"]["name"]) == ("Owner", "Member")
    assert changed["created_at"] == added["created_at"]


@pytest.mark.parametrize("role", ["read-only", "assigned-only"])
def test_whoever_may_only_read_changes_nothing(town: Town, api: PeopleAPI, role: str) -> None:
    tokens = town.of("roles")
    person = api.add(tokens["owner"], name=f"For {role}", assigned_to=town.users[role])
    address = f"/people/{person['id']}"
    assert api.call("GET", address, tokens[role]).json() == person
    for method, path, body in (("POST", "/people", GRACE), ("PATCH", address, GRACE), ("DELETE", address, None)):
        refused = api.call(method, path, tokens[role], body)
        assert (refused.status_code, refused.json()) == (403, {"message": "This action is unauthorized."})
        assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
        assert 'scope="clients:write"' in refused.headers["www-authenticate"]
    assert api.call("GET", address, tokens["owner"]).json() == person


def test_an_assignee_reaches_what_is_assigned_to_them_and_nothing_else(town: Town, api: PeopleAPI) -> None:
    tokens = town.of("assigned")
    mine = api.add(tokens["member"], name="Mine", assigned_to=town.users["assigned-only"])
    others = [api.add(tokens["member"], name="Nobody's"), api.add(tokens["member"], name="X", assigned_to=1)]
    assert api.names(tokens["assigned-only"]) == ["Mine"]
    assert [api.call("GET", f"/people/{each['id']}", tokens["assigned-only"]).status_code for each in others] == [
        404
    ] * 2
    assert len(api.names(tokens["read-only"])) == 3
    assert api.call("PATCH", f"/people/{mine['id']}", tokens["member"], {"assigned_to": None}).status_code == 200
    assert api.names(tokens["assigned-only"]) == []


def test_the_list_comes_in_pages_by_name(town: Town, api: PeopleAPI) -> None:
    owner = town.of("pages")["owner"]
    for name in ("Dorothy", "ada", "Grace", "Barbara", "Edith"):
        api.add(owner, name=name)
    first = api.call("GET", "/people?limit=2", owner).json()
    counts = {"total": 5, "count": 2, "limit": 2, "current_page": 1, "total_pages": 3}
    assert {name: first[name] for name in counts} == counts
    pages = [api.names(owner, f"?limit=2&page={page}") for page in (1, 2, 3, 4)]
    assert pages == [["ada", "Barbara"], ["Dorothy", "Edith"], ["Grace"], []]


@pytest.mark.parametrize(
    ("method", "path", "body", "wrong"),
    [
        pytest.param("POST", "/people", {}, {"name"}, id="no name"),
        pytest.param("POST", "/people", {"name": "  "}, {"name"}, id="a name of spaces"),
        pytest.param("POST", "/people", {"name": "x" * 121}, {"name"}, id="a long name"),
        pytest.param("POST", "/people", {**GRACE, "email": "grace"}, {"email"}, id="no address"),
        pytest.param("POST", "/people", {**GRACE, "assigned_to": HUGE}, {"assigned_to"}, id="a huge id"),
        pytest.param("POST", "/people", {**GRACE, "team_id": 7}, {"team_id"}, id="a team of one's choice"),
        pytest.param("POST", "/people", {"name": 1, "email": 2}, {"name", "email"}, id="several at once"),
        pytest.param("POST", "/people", "x", {"errors"}, id="no object"),
        pytest.param("PATCH", "/people/1", {}, {"errors"}, id="nothing to change"),
        pytest.param("PATCH", "/people/1", {"name": None}, {"name"}, id="a name taken away"),
        pytest.param("GET", "/people/x", None, {"person_id"}, id="no id"),
        pytest.param("GET", f"/people/{HUGE}", None, {"person_id"}, id="an id past all ids"),
        pytest.param("GET", "/people?limit=101", None, {"limit"}, id="too long a page"),
        pytest.param("GET", f"/people?page={HUGE}", None, {"page"}, id="a page past all pages"),
    ],
)
def test_what_is_wrong_is_said_by_property(
    town: Town, api: PeopleAPI, method: str, path: str, body: Any, wrong: set[str]
) -> None:
    answer = api.call(method, path, town.of("wrong")["owner"], body)
    assert answer.status_code == 422, answer.text
    assert {name: isinstance(said, list) for name, said in answer.json().items()} == dict.fromkeys(wrong, True)


def test_a_body_that_is_no_json_is_422(town: Town, api: PeopleAPI) -> None:
    headers = {"authorization": f"Bearer {town.of('wrong')['owner']}", "content-type": "application/json"}
    answer = httpx2.post(f"{api.url}/people", headers=headers, content=b"{")
    assert (answer.status_code, answer.json()) == (422, {"errors": ["JSON decode error"]})


def test_a_person_of_another_team_is_not_there(town: Town, api: PeopleAPI) -> None:
    theirs = api.add(town.of("there")["owner"], **GRACE)
    address, owner = f"/people/{theirs['id']}", town.of("here")["owner"]
    for method, body in (("GET", None), ("PATCH", {"name": "Taken"}), ("DELETE", None)):
        assert api.call(method, address, owner, body).status_code == 404
    assert api.names(owner) == []
    assert api.call("GET", address, town.of("there")["owner"]).json() == theirs


def test_sandbox_and_live_never_meet(town: Town, apis: dict[str, PeopleAPI]) -> None:
    kept = {each: apis[each].add(town.of("ended", each)["owner"], name=each) for each in apis}
    for each, other in (("sandbox", "live"), ("live", "sandbox")):
        mine, token = f"/people/{kept[each]['id']}", town.of("ended", each)["owner"]
        assert apis[each].names(token) == [each]
        assert apis[each].call("GET", f"/people/{kept[other]['id']}", token).status_code == 404
        refused = apis[other].call("GET", mine, token)
        assert (refused.status_code, refused.json()) == (401, {"error": "Unauthenticated."})


def test_a_revoked_token_is_refused_and_the_others_go_on(town: Town, api: PeopleAPI) -> None:
    tokens = town.of("ended")
    assert api.call("GET", "/people", tokens["member"]).status_code == 200
    headers = {"authorization": f"Bearer {tokens['member']}"}
    assert httpx2.delete(f"{town.server.url}/api/v2/token", headers=headers).status_code == 204
    until(lambda: api.call("GET", "/people", tokens["member"]).status_code == 401)
    assert api.call("GET", "/people", tokens["read-only"]).status_code == 200


def test_without_a_token_or_with_no_tokens_text_it_is_401(api: PeopleAPI) -> None:
    for token in (None, "x"):
        for method, path in (("GET", "/people"), ("POST", "/people"), ("DELETE", "/people/1")):
            answer = api.call(method, path, token)
            assert (answer.status_code, answer.json()) == (401, {"error": "Unauthenticated."})
            assert answer.headers["www-authenticate"].startswith("Bearer ")


def test_while_keybearer_is_away_nobody_is_let_in_and_nobody_told_that_their_token_is_bad(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    url = copy_sqlite(migrated_sqlite, tmp_path / "keybearer.db")
    with running_town(tmp_path, url, "away", KEYBEARER_BOUND="3") as town:
        known, unknown = town.of("away")["owner"], town.of("away")["member"]
        with running_api(town, "sandbox", tmp_path) as api:
            until(lambda: api.call("GET", "/people", known).status_code == 200)
            town.server.kill()
            until(lambda: api.call("GET", "/people", known).status_code == 503)
            for token in (known, unknown):
                answer = api.call("GET", "/people", token)
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            until(
                lambda: api.call("GET", "/readyz", None).status_code == 503
            )  # calls are not counted on credit that long
            town.server.start()
            for token in (known, unknown):
                until(lambda token=token: api.call("GET", "/people", token).status_code == 200)


def test_its_own_description_says_what_each_call_demands(api: PeopleAPI) -> None:
    described = httpx2.get(f"{api.url}/openapi.json").json()
    scheme = described["components"]["securitySchemes"]["Keybearer"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    demanded = {
        f"{method} {path}": call["security"]
        for path, calls in described["paths"].items()
        for method, call in calls.items()
        if path != "/readyz"
    }
    reads, writes = [{"Keybearer": ["clients:read"]}], [{"Keybearer": ["clients:write"]}]
    assert demanded == {
        "get /people": reads,
        "post /people": writes,
        "get /people/{person_id}": reads,
        "patch /people/{person_id}": writes,
        "delete /people/{person_id}": writes,
    }


def test_its_readme_says_the_same() -> None:
    said = (EXAMPLES / "people_api/README.md").read_text("utf-8")
    files = {file.name for file in (EXAMPLES / "people_api").glob("*.py")} - {"__init__.py"}
    assert {name for name in files if f"[{name}]({name})" not in said} == set()
