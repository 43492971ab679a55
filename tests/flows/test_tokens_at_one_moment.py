"""Clients that knock at the token endpoint at one moment share a transaction, and each gets what it would get alone."""

import asyncio
from dataclasses import dataclass

import asyncpg
import httpx2
import pytest

from keybearer.server import issuing, secrets
from keybearer.server.clock import DAY
from keybearer.server.records import Client, Code, Family, Grant, Team, User
from keybearer.server.store import codes, grants
from keybearer.server.store.database import Transaction
from tests.support.house import House
from tests.support.scenes import App, Scene

REDIRECT_URI = "https://app.example/callback"


@dataclass(frozen=True, slots=True)
class Town:
    """An app that ten people of a team have let in, and another app."""

    house: House
    app: App
    stranger: App
    users: list[User]
    codes: list[str]
    program: httpx2.AsyncClient

    async def exchange(self, code: str, **changed: str) -> httpx2.Response:
        presented = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
        return await self._post({**presented, **changed})

    async def refresh(self, text: str, **changed: str) -> httpx2.Response:
        return await self._post({"grant_type": "refresh_token", "refresh_token": text, **changed})

    async def status(self, text: str) -> int:
        return (await self.house.api(text).get("/api/v2/status")).status_code

    async def _post(self, fields: dict[str, str]) -> httpx2.Response:
        credentials = {"client_id": self.app.client.client_id, "client_secret": self.app.secret}
        return await self.program.post("/oauth/token", data={**credentials, **fields})


@pytest.fixture
async def town(house: House) -> Town:
    scene = Scene(house.node)
    users = [await scene.person(f"user{number}") for number in range(10)]
    team = await scene.team("acme", owner=users[0])
    for user in users[1:]:
        await scene.member(team, user, "member")
    app = await scene.app("one", team, users[0], REDIRECT_URI)
    stranger = await scene.app("other", team, users[0], REDIRECT_URI)
    texts = [await house.node.act(let_in, house, app.client, team, user) for user in users]
    return Town(house, app, stranger, users, texts, house.program())


async def let_in(tx: Transaction, house: House, client: Client, team: Team, user: User) -> str:
    now = house.node.now()
    grant_id, family_id = secrets.record_id(now), secrets.record_id(now)
    text = issuing.Mint("kb", team.environment).text("oac")
    grant = Grant(grant_id, user.user_id, team.team_id, team.environment, client.client_id, None, now, None)
    await grants.add(tx, grant, None)
    await grants.add_family(tx, Family(family_id, grant_id, "none", "", now, now + 90 * DAY, None))
    code = Code(secrets.digest(text), family_id, client.client_id, REDIRECT_URI, "yes", None, now, now + DAY, None)
    await codes.add(tx, code)
    return text


def refresh_token(answer: httpx2.Response) -> str:
    assert answer.status_code == 200, answer.text
    text: str = answer.json()["refresh_token"]
    return text


async def test_each_of_many_gets_the_tokens_of_its_own_user(town: Town) -> None:
    exchanged = await asyncio.gather(*(town.exchange(code) for code in town.codes))
    refreshed = await asyncio.gather(*(town.refresh(refresh_token(answer)) for answer in exchanged))
    for user, first, second in zip(town.users, exchanged, refreshed, strict=True):
        me = await town.house.api(second.json()["access_token"]).get("/api/v2/me")
        assert me.json()["id"] == user.user_id
        assert await town.status(first.json()["access_token"]) == 401


async def test_of_many_exchanges_of_one_code_at_once_exactly_one_succeeds_and_the_others_end_what_it_gave(
    town: Town,
) -> None:
    answers = await asyncio.gather(*(town.exchange(town.codes[0]) for _ in range(8)))
    (won,) = [answer for answer in answers if answer.status_code == 200]
    assert {answer.json()["error"] for answer in answers if answer is not won} == {"invalid_grant"}
    assert await town.status(won.json()["access_token"]) == 401


async def test_many_refreshes_with_one_token_at_once_get_the_same_pair(town: Town) -> None:
    text = refresh_token(await town.exchange(town.codes[0]))
    answers = await asyncio.gather(*(town.refresh(text) for _ in range(8)))
    assert len({refresh_token(answer) for answer in answers}) == 1
    assert await town.status(answers[0].json()["access_token"]) == 204


async def test_what_is_wrong_with_one_exchange_hinders_none_of_the_others(town: Town) -> None:
    malformed, unknown = town.codes[0][:-1], issuing.Mint("kb", "sandbox").text("oac")
    answers = await asyncio.gather(
        town.exchange(town.codes[1]),
        town.exchange(malformed),
        town.exchange(town.codes[2], redirect_uri="https://elsewhere.example/"),
        town.exchange(unknown),
        town.exchange(town.codes[3], client_id=town.stranger.client.client_id, client_secret=town.stranger.secret),
        town.exchange(town.codes[4], client_secret="wrong"),
        town.exchange(town.codes[5]),
    )
    assert [answer.status_code for answer in answers] == [200, 400, 400, 400, 400, 401, 200]
    assert (await town.exchange(town.codes[2])).status_code == 400, "a wrong redirect URI uses the code up"
    assert (await town.exchange(town.codes[3])).status_code == 200, "a stranger does not use the code up"
    assert (await town.exchange(town.codes[4])).status_code == 200


async def test_what_is_wrong_with_one_refresh_hinders_none_of_the_others(town: Town) -> None:
    exchanged = await asyncio.gather(*(town.exchange(code) for code in town.codes[:4]))
    texts = [refresh_token(answer) for answer in exchanged]
    reused = texts[0]
    successor = refresh_token(await town.refresh(refresh_token(await town.refresh(reused))))
    answers = await asyncio.gather(
        town.refresh(reused),
        town.refresh(texts[1]),
        town.refresh(issuing.Mint("kb", "sandbox").text("ort")),
        town.refresh("nonsense"),
        town.refresh(texts[2], client_id=town.stranger.client.client_id, client_secret=town.stranger.secret),
        town.refresh(texts[3]),
    )
    assert [answer.status_code for answer in answers] == [400, 200, 400, 400, 400, 200]
    assert (await town.refresh(successor)).status_code == 400, "reuse has ended the family"
    assert (await town.refresh(texts[2])).status_code == 200


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_token_that_another_transaction_holds_keeps_nobody_else_waiting(town: Town, database_url: str) -> None:
    texts = [refresh_token(answer) for answer in await asyncio.gather(*map(town.exchange, town.codes))]
    operator = await asyncpg.connect(database_url)
    try:
        # A lock is waited for five seconds, within which a crowded machine may have done nothing at all.
        assert any([await others_are_first(town, operator, texts[at : at + 3]) for at in (0, 3, 6)])
    finally:
        await operator.close()


async def others_are_first(town: Town, operator: "asyncpg.Connection[asyncpg.Record]", texts: list[str]) -> bool:
    """Hold the first of these tokens; tell whether the others were answered while it was waited for."""
    async with operator.transaction():
        await operator.execute("SELECT 1 FROM tokens WHERE digest = $1 FOR UPDATE", secrets.digest(texts[0]))
        held, *others_asked = (asyncio.ensure_future(town.refresh(text)) for text in texts)
        others = await asyncio.gather(*others_asked)
        assert [answer.status_code for answer in others] == [200, 200]
        are_first = not held.done()
    assert (await held).status_code == (200 if are_first else 503)
    return are_first
