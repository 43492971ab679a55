"""The reference, line by line: lists."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.api import Stage, set_stage
from tests.support.house import House


@pytest.fixture
async def stage(house: House) -> Stage:
    """Ada is in five teams."""
    stage = await set_stage(house)
    for name in ("Three", "Four", "Five"):
        await stage.scene.team(name, member=stage.ada)
    return stage


async def test_a_list_of_one_page_has_null_links(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    answer = (await api.get("/api/v2/me/teams")).json()
    assert list(answer) == [
        "object",
        "data",
        "total",
        "count",
        "limit",
        "current_page",
        "total_pages",
        "links",
    ]
    assert len(answer.pop("data")) == 5
    assert answer == {
        "object": "paginated_list",
        "total": 5,
        "count": 5,
        "limit": 25,
        "current_page": 1,
        "total_pages": 1,
        "links": None,
    }


async def test_the_pages_together_are_the_whole_list(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    whole = (await api.get("/api/v2/me/teams")).json()["data"]
    pages = [(await api.get(f"/api/v2/me/teams?limit=2&page={page}")).json() for page in (1, 2, 3)]
    assert [team for page in pages for team in page["data"]] == whole
    assert [(page["count"], page["current_page"], page["total_pages"]) for page in pages] == [
        (2, 1, 3),
        (2, 2, 3),
        (1, 3, 3),
    ]


async def test_following_the_links_walks_the_list_both_ways(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    first = (await api.get("/api/v2/me/teams?limit=2")).json()
    assert first["links"]["previous"] is None
    second = (await api.get(first["links"]["next"])).json()
    third = (await api.get(second["links"]["next"])).json()
    assert third["links"]["next"] is None
    assert (await api.get(third["links"]["previous"])).json() == second
    assert (await api.get(second["links"]["previous"])).json() == first


async def test_links_keep_the_requests_other_query_parameters(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    answer = (await api.get("/api/v2/me/teams?limit=2&tag=a%26b&tag=c&empty=&page=1")).json()
    parts = urlsplit(answer["links"]["next"])
    assert parse_qs(parts.query, keep_blank_values=True) == {
        "limit": ["2"],
        "tag": ["a&b", "c"],
        "empty": [""],
        "page": ["2"],
    }


async def test_links_lead_to_the_issuer_whatever_the_host_header_says(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    poisoned = {"host": "evil.example", "x-forwarded-host": "evil.example", "x-forwarded-proto": "http"}
    answer = (await api.get("/api/v2/me/teams?limit=2", headers=poisoned)).json()
    assert answer["links"]["next"].startswith(f"{stage.house.settings.issuer}/api/v2/me/teams?")


async def test_a_page_past_the_end_is_empty(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    answer = await api.get("/api/v2/me/teams?limit=2&page=1000000000")
    assert answer.status_code == 200
    found = answer.json()
    assert (found["data"], found["count"], found["total"], found["current_page"]) == ([], 0, 5, 1_000_000_000)
    assert found["links"]["next"] is None
    assert parse_qs(urlsplit(found["links"]["previous"]).query)["page"] == ["3"]


@pytest.mark.parametrize("path", ["/api/v2/me/teams", "/api/v2/team/members", "/api/v2/teams/{team}/members"])
async def test_limit_is_1_to_100_and_page_from_1(stage: Stage, path: str) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    address = path.format(team=stage.acme.team_id)
    for limit in ("1", "100"):
        assert (await api.get(address, params={"limit": limit})).json()["limit"] == int(limit)
    for name, value in [("limit", "0"), ("limit", "101"), ("page", "0"), ("page", "1000000001")]:
        answer = await api.get(address, params={name: value})
        assert (answer.status_code, list(answer.json())) == (422, [name]), (name, value)


@pytest.mark.parametrize(
    "value",
    ["", " ", "-1", "+1", "1.0", "1e1", "0x1", "\u0661", "\uff11", "1 ", "null", "1;2", "9" * 5000, "\x00", "1_0"],
)
@pytest.mark.parametrize("name", ["page", "limit"])
async def test_what_is_no_whole_number_is_422(stage: Stage, name: str, value: str) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    answer = await api.get("/api/v2/me/teams", params={name: value})
    assert (answer.status_code, list(answer.json())) == (422, [name])


async def test_a_repeated_parameter_is_422_and_both_are_named_when_both_are_wrong(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    assert (await api.get("/api/v2/me/teams?limit=1&limit=1")).status_code == 422
    assert set((await api.get("/api/v2/me/teams?limit=x&page=x")).json()) == {"limit", "page"}


@pytest.mark.parametrize("query", ["%ff=1", "&".join(["a=1"] * 201)])
async def test_a_malformed_query_is_422_for_the_request_as_a_whole(stage: Stage, query: str) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    answer = await api.get(f"/api/v2/me/teams?{query}")
    assert (answer.status_code, list(answer.json())) == (422, ["errors"])
