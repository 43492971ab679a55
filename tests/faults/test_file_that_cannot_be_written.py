"""A database file that cannot be written for a while: every door says so, reads go on, all recovers."""

import pytest

from keybearer.server.store.sqlite import SqliteDatabase
from tests.support.house import House
from tests.support.oauth import Play

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def lock_the_file(house: House) -> None:
    """Let the writing connection meet a file that it may only read; the next connection finds it mended."""
    database = house.node.database
    assert isinstance(database, SqliteDatabase)
    database._session._connection.pragma("query_only", True)


async def test_the_token_endpoint_asks_to_come_back_and_uses_nothing_up(play: Play) -> None:
    pair = await play.pair()
    before = await play.held()
    lock_the_file(play.house)
    answer = await play.refresh(pair["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert answer.headers["retry-after"] == "2"
    assert await play.held() == before
    assert (await play.refresh(pair["refresh_token"])).status_code == 200


async def test_the_api_says_so_in_json_the_log_says_why_and_reads_go_on(
    play: Play, capsys: pytest.CaptureFixture[str]
) -> None:
    api = play.house.api(await play.scene.personal_token(play.ada, play.acme))
    lock_the_file(play.house)
    answer = await api.patch("/api/v2/me", json={"name": "Countess"}, headers={"accept": "text/html"})
    assert (answer.status_code, list(answer.json())) == (503, ["message"])
    assert "attempt to write a readonly database" in capsys.readouterr().out
    assert answer.headers["retry-after"] == "2"
    assert (await api.get("/api/v2/me")).json()["name"] == "Ada"
    assert (await api.patch("/api/v2/me", json={"name": "Countess"})).json()["name"] == "Countess"


async def test_a_page_says_so_in_words_and_the_same_form_works_afterwards(play: Play) -> None:
    browser = await play.browser(play.ada)
    await browser.get("/settings/tokens/new")
    form = [("name", "a robot"), ("team", str(play.acme.team_id))]
    lock_the_file(play.house)
    page = await browser.post("/settings/tokens/new", form)
    assert (page.status, "We cannot answer right now" in page.text) == (503, True)
    assert "token" in (await browser.post("/settings/tokens/new", form)).shown
