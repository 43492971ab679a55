"""L, I7: a token's text that is sent through whatever the activity log keeps is nowhere in it."""

from sqlalchemy import select

from keybearer.server.store.tables import activity_cursors, activity_records
from keybearer.wire.activity import words_text
from tests.support.activity import recorded
from tests.support.api import Stage
from tests.support.house import House
from tests.support.reports import reporting


async def kept(house: House) -> str:
    """Return all that the tables of the activity log hold, as one text."""
    rows = [
        row for table in (activity_records, activity_cursors) for row in await house.node.database.many(select(table))
    ]
    return "\n".join(str(value) for row in rows for value in dict(row).values())


async def test_l_a_token_that_a_browser_sends_as_its_name_is_masked(stage: Stage) -> None:
    secret = await stage.scene.personal_token(stage.ada, stage.acme)
    browser = stage.house.browser()
    browser.client.headers["user-agent"] = f"Mozilla ({secret})"
    await browser.get("/login")
    await browser.fill_and_submit("Sign in", email=stage.ada.email, password="a wrong one, which nobody has")
    (refused,) = await recorded(stage.house.node.database, "session.refused")
    assert refused["agent"].startswith("Mozilla (kb_pat_test_...")
    assert secret not in await kept(stage.house)


async def test_l_a_token_in_any_sealed_field_of_a_reported_call_is_masked(stage: Stage) -> None:
    api = await reporting(stage)
    secret = await stage.scene.personal_token(stage.ada, stage.acme)
    everywhere = {"address": secret, "agent": secret, "subject": secret, "words": words_text({"note": secret})}
    assert (await api.report([api.line(1, sealing=everywhere)]))["kept"] == 1
    held = await kept(stage.house)
    assert secret not in held
    assert held.count("kb_pat_test_...") == 4
