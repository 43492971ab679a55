"""
Class F on the API: teams and objects, as a matrix of every endpoint and every standing towards a team.

F4 is `tests/flows/test_activity_api.py`; F6 has no object (nothing moves between teams), nor has F7
(there are no invitations); F8 is `tests/flows/test_team_keeps_an_admin.py`, the pages are `test_f_pages.py`.
"""

from typing import Final

import httpx2
import pytest
from sqlalchemy import select

from keybearer.server.api.endpoints import Endpoint
from keybearer.server.api.routes import ENDPOINTS
from keybearer.server.store import tables
from tests.support.house import House
from tests.support.standings import (
    ARCHIVED,
    CANARY,
    NEVER,
    NO_TEAM,
    OTHER,
    OUTSIDE,
    OWN,
    READ_ONLY,
    STANDINGS,
    SUSPENDED,
    Scenery,
    set_scenery,
)

pytestmark = pytest.mark.timeout(300)

BODIES: Final = {"/me": {"name": "Mallory"}, "/team": {"telephone": "112"}}
UNSETTABLE: Final = (
    *("id", "uuid", "team_id", "user_id", "owner", "role", "env", "environment", "tier"),
    *("is_admin", "is_verified", "verified_at", "scopes", "permissions", "archived_at"),
)


@pytest.fixture
async def scenery(house: House) -> Scenery:
    return await set_scenery(house)


def path_of(endpoint: Endpoint, ids: dict[str, str]) -> str:
    filled = endpoint.path.replace("{team_id}", ids["team"]).replace("{member_id}", ids["membership"])
    return f"/api/v2{filled}"


def allowed(endpoint: Endpoint, standing: str) -> int:
    """Return the status that the standing calls for; 200 stands for any success."""
    if standing in {NO_TEAM, ARCHIVED, SUSPENDED}:
        return 401
    if standing == OTHER and "{" in endpoint.path:
        return 404
    demand = endpoint.demand
    is_changing = isinstance(demand, str) and not demand.endswith(":read")
    return 403 if standing == READ_ONLY and is_changing else 200


@pytest.mark.parametrize("standing", STANDINGS)
async def test_f1_f3_every_endpoint_answers_by_the_standing_and_says_nothing_of_another_team(
    scenery: Scenery, standing: str
) -> None:
    team = scenery.elsewhere if standing == OTHER else scenery.target
    if standing == OTHER:
        await scenery.stage.scene.member(scenery.elsewhere, scenery.mallory, "owner")
    calls = [(endpoint, await scenery.call(team)) for endpoint in ENDPOINTS]
    await scenery.stand(standing)
    before = await scenery.rows()
    for endpoint, api in calls:
        body = BODIES.get(endpoint.path) if endpoint.method == "PATCH" else None
        answer = await api.request(endpoint.method, path_of(endpoint, scenery.ids), json=body)
        status = 200 if answer.is_success else answer.status_code
        assert status == allowed(endpoint, standing), (endpoint.method, endpoint.path, answer.text)
        if standing in OUTSIDE:
            assert CANARY.lower() not in answer.text.lower(), endpoint.path
            assert CANARY.lower() not in str(answer.headers).lower(), endpoint.path
    assert (await scenery.rows() == before) == (standing != OWN)


async def test_f1_another_teams_ids_are_answered_like_ids_that_nobody_has(scenery: Scenery) -> None:
    await scenery.stand(OTHER)
    api = await scenery.call(scenery.elsewhere)
    own = str(scenery.elsewhere.team_id)
    place = await scenery.stage.place_of(scenery.elsewhere, scenery.mallory)
    pairs = [
        ({"team": own, "membership": scenery.ids["membership"]}, {"team": own, "membership": NEVER["membership"]}),
        (scenery.ids, NEVER),
        ({**scenery.ids, "membership": str(place.membership_id)}, {**NEVER, "membership": str(place.membership_id)}),
    ]
    for endpoint in (one for one in ENDPOINTS if "{member_id}" in one.path):
        for theirs, nobodys in pairs:
            found, missing = [await api.get(path_of(endpoint, ids)) for ids in (theirs, nobodys)]
            assert (found.status_code, found.content) == (404, missing.content)
            assert told_by(found) == told_by(missing)


def told_by(answer: httpx2.Response) -> dict[str, str]:
    """Return the headers, but for what counts up with every request."""
    return {k: v for k, v in answer.headers.items() if k not in {"x-request-id", "x-ratelimit-remaining", "date"}}


async def test_f2_ids_in_query_header_and_body_neither_authorise_nor_act(scenery: Scenery) -> None:
    await scenery.stand(OTHER)
    before = await scenery.rows()
    team, member = scenery.ids["team"], scenery.ids["membership"]
    query = {"team_id": team, "team": team, "teamId": team, "member_id": member, "user_id": "1", "id": team}
    headers = {"x-team-id": team, "x-user-id": "1", "x-keybearer-team": team, "x-original-url": f"/api/v2/teams/{team}"}
    for endpoint in (one for one in ENDPOINTS if one.path != "/token"):
        api = await scenery.call(scenery.elsewhere)
        body = BODIES.get(endpoint.path) if endpoint.method == "PATCH" else None
        path = path_of(endpoint, {"team": str(scenery.elsewhere.team_id), "membership": member})
        answer = await api.request(endpoint.method, path, params=query, headers=headers, json=body)
        assert CANARY.lower() not in answer.text.lower(), endpoint.path
        refused = 404 if "{member_id}" in endpoint.path else 422 if endpoint.path == "/activity" else None
        assert answer.status_code in ({refused} if refused else {200, 204}), endpoint.path
    assert await scenery.rows() == before


async def test_f9_a_property_that_is_not_the_callers_to_set_is_refused(scenery: Scenery) -> None:
    await scenery.stand(OTHER)
    before = await scenery.rows()
    users_before = await scenery.house.node.database.many(select(tables.users))
    api = await scenery.call(scenery.elsewhere)
    for path, body in BODIES.items():
        for name in UNSETTABLE:
            answer = await api.patch(f"/api/v2{path}", json={**body, name: scenery.ids["team"]})
            assert (answer.status_code, list(answer.json())) == (422, [name])
    assert await scenery.rows() == before
    assert await scenery.house.node.database.many(select(tables.users)) == users_before


async def test_f3_f5_lists_count_and_name_what_is_in_the_tokens_team_alone(scenery: Scenery) -> None:
    await scenery.stage.scene.member(scenery.elsewhere, scenery.mallory, "owner")
    api = await scenery.call(scenery.elsewhere)
    listed = (await api.get("/api/v2/team/members")).json()
    assert (listed["total"], [one["name"] for one in listed["data"]]) == (2, ["Bob", "Mallory"])
    of_target = await scenery.call(scenery.target)
    left = int((await of_target.get("/api/v2/status")).headers["x-ratelimit-remaining"])
    for _ in range(5):
        await api.get("/api/v2/status")
    assert int((await of_target.get("/api/v2/status")).headers["x-ratelimit-remaining"]) == left - 1
    named = (await api.get("/api/v2/me/teams")).json()["data"]
    assert [team["name"] for team in named] == [CANARY, "Elsewhere"]
    assert "Olga" not in str(named)
