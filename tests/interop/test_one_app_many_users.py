"""One app holds tokens of three users in four teams; each acts as its own user in its own team, and nowhere else."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from authlib.integrations.httpx_client import AsyncOAuth2Client

from tests.interop.town import TEAMS, People, Town
from tests.support.people import CALLBACK, Person, RegisteredApp, address_of

LET_IN = [("ada", "Acme"), ("ada", "Birch"), ("ada", "Cedar"), ("bo", "Acme"), ("bo", "Dune"), ("cy", "Acme")]


@dataclass(slots=True)
class Holder:
    """What the app keeps for one user in one team."""

    name: str
    team: str
    client: AsyncOAuth2Client

    @property
    def key(self) -> tuple[str, str]:
        """Who, where."""
        return self.name, self.team


async def let_in(town: Town, app: RegisteredApp, person: Person, team: str) -> Holder:
    client = AsyncOAuth2Client(
        client_id=app.client_id,
        client_secret=app.secret,
        redirect_uri=CALLBACK,
        token_endpoint=f"{town.url}/oauth/token",
        base_url=town.url,
    )
    url, state = client.create_authorization_url(f"{town.url}/oauth/authorize")
    landed = await person.consent(url, team_id=town.teams[team])
    await client.fetch_token(authorization_response=landed, state=state)
    return Holder(person.name, team, client)


@pytest.fixture
async def holders(request: pytest.FixtureRequest, town: Town, signed_in: People) -> AsyncIterator[list[Holder]]:
    """Have the app let in by everybody of `LET_IN`."""
    people = {name: await signed_in(name) for name in ("ada", "bo", "cy")}
    await people["ada"].switch_team(town.teams["Dune"])
    app = await people["ada"].register(request.node.name[:60])
    kept = [await let_in(town, app, people[name], team) for name, team in LET_IN]
    yield kept
    for holder in kept:
        await holder.client.aclose()


async def asked(holder: Holder, path: str) -> Any:
    answer = await holder.client.get(f"/api/v2/{path}")
    assert answer.status_code == 200, (holder.key, answer.text)
    return answer.json()


async def statuses(holders: list[Holder]) -> dict[tuple[str, str], int]:
    return {holder.key: (await holder.client.get("/api/v2/status")).status_code for holder in holders}


@pytest.mark.parametrize("town", ["sqlite", "postgresql"], indirect=True)
async def test_each_token_is_its_own_user_in_its_own_team(town: Town, holders: list[Holder]) -> None:
    for holder in holders:
        role = TEAMS[holder.team][1][holder.name]
        assert (await asked(holder, "me"))["email"] == address_of(holder.name)
        team = await asked(holder, "team")
        assert (team["id"], team["name"]) == (town.teams[holder.team], holder.team)
        member = await asked(holder, "team/me")
        assert (member["email"], member["role"]) == (address_of(holder.name), role)
        about = await asked(holder, "token")
        assert (about["environment"], about["role"]) == ("sandbox", role)


@pytest.mark.parametrize("town", ["sqlite", "postgresql"], indirect=True)
async def test_a_token_sees_no_other_team_of_its_user(town: Town, holders: list[Holder]) -> None:
    for holder in holders:
        for team, team_id in town.teams.items():
            answer = await holder.client.get(f"/api/v2/teams/{team_id}/members")
            if team == holder.team:
                assert {one["email"] for one in answer.json()["data"]} == {address_of(name) for name in TEAMS[team][1]}
            else:
                assert answer.status_code == 404, (holder.key, team)


async def test_each_token_may_what_its_user_may_there(town: Town, holders: list[Holder]) -> None:
    for holder in holders:
        answer = await holder.client.patch("/api/v2/team", json={"telephone": "+44 131 496 0000"})
        is_owner = TEAMS[holder.team][1][holder.name] == "owner"
        assert answer.status_code == (200 if is_owner else 403), (holder.key, town.url)


async def test_ending_one_leaves_the_others(town: Town, holders: list[Holder]) -> None:
    first, *others = holders
    await first.client.revoke_token(f"{town.url}/oauth/revoke", first.client.token["refresh_token"])
    assert await statuses(holders) == {first.key: 401} | {holder.key: 204 for holder in others}


async def test_refreshing_one_leaves_the_others(town: Town, holders: list[Holder]) -> None:
    first, second, *_ = holders
    before = {holder.key: holder.client.token["access_token"] for holder in holders}
    await first.client.refresh_token()
    async with httpx2.AsyncClient(base_url=town.url) as anybody:
        for key, text in before.items():
            answer = await anybody.get("/api/v2/status", headers={"authorization": f"Bearer {text}"})
            assert answer.status_code == (401 if key == first.key else 204), key
    await second.client.refresh_token()
    assert set((await statuses(holders)).values()) == {204}


async def test_all_can_be_refreshed_at_the_same_moment(town: Town, holders: list[Holder]) -> None:
    await asyncio.gather(*(holder.client.refresh_token() for holder in holders))
    assert len({holder.client.token["access_token"] for holder in holders}) == len(LET_IN), town.url
    for holder in holders:
        assert (await asked(holder, "me"))["email"] == address_of(holder.name)
        assert (await asked(holder, "team"))["name"] == holder.team
