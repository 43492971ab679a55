"""I6: a node that is killed after it has sent an event, and before it has noted the answer, loses nothing."""

import asyncio
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from sqlalchemy import select

from keybearer.server import clock as real_clock
from keybearer.server.clock import MINUTE
from keybearer.server.settings import Settings
from keybearer.server.store.tables import webhook_deliveries
from tests.support.house import open_house
from tests.support.people import PASSWORD, at_browser, told
from tests.support.processes import ServerProcess, running_server
from tests.support.receiver import TIMEOUT_S, receiving

KEY: Final = "a key of some random characters for a test"
# URLs of receivers often hold a secret of theirs.
SECRET_PATH: Final = "a-secret-of-the-receivers"
SETTINGS: Final = {"KEYBEARER_WEBHOOK_PRIVATE_ADDRESSES": "true", "KEYBEARER_WEBHOOK_KEY": KEY}


async def until_logged(server: ServerProcess, words: str) -> None:
    """Wait until the server has said so."""
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            if words in server.log:
                return
            await asyncio.sleep(0.05)


async def test_the_next_node_sends_it_again_with_the_same_id(database_url: str, tmp_path: Path) -> None:
    async with receiving() as receiver:
        with running_server(tmp_path, database_url, SETTINGS) as server:
            who = ["ada@example.com", "--name", "Ada", "--password-stdin", "--verified"]
            told(server, "user", "add", *who, stdin=PASSWORD)
            told(server, "team", "add", "Acme", "--environment", "sandbox", "--owner", "ada@example.com")
            async with at_browser(server, "ada") as ada:
                await ada.sign_in()
                await ada.browser.get("/team/webhooks/new")
                url = f"{receiver.url}/{SECRET_PATH}"
                await ada.browser.fill_and_submit("Add webhook", url=url, events=["token.created"])
                await ada.make_token("One that is noted")
                await until_logged(server, "webhook sent")
                assert SECRET_PATH not in server.log
                receiver.may_answer.clear()
                await ada.make_token("Nightly import")
                await receiver.has_heard(2)
                server.kill()
        receiver.may_answer.set()
        settings = Settings(
            data_dir=tmp_path,
            database_url=SecretStr(database_url),
            webhook_key=SecretStr(KEY),
            webhook_private_addresses=True,
        )
        after_the_claim = real_clock.now() + MINUTE
        async with open_house(settings, lambda: after_the_claim):
            await receiver.has_heard(3)
        _, first, again = receiver.heard
        assert (again.headers["webhook-id"], again.body) == (first.headers["webhook-id"], first.body)
        async with open_house(settings, lambda: after_the_claim) as house:
            rows = await house.node.database.many(select(webhook_deliveries))
    assert [(row["status"], row["attempts"], row["answered"]) for row in rows] == [("delivered", 1, 204)] * 2
