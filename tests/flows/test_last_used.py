"""Lists tell when tokens and apps were used last, from where and by what program: here, and by report."""

import pytest
from sqlalchemy import update

from keybearer.server.clock import MINUTE
from keybearer.server.store.database import Transaction
from keybearer.server.store.tables import activity_records
from tests.support.api import set_stage
from tests.support.clock import HandClock
from tests.support.happenings import happen
from tests.support.house import House
from tests.support.reports import reporting


@pytest.mark.parametrize("path", ["/settings/tokens", "/team/apps"])
async def test_a_reported_call_is_the_last_use_of_its_token(house: House, clock: HandClock, path: str) -> None:
    stage = await set_stage(house)
    api = await reporting(stage)
    browser = await stage.at_browser(stage.ada)
    assert "Never" in (await browser.get(path)).text
    now = clock.now()
    lines = [api.line(1, at=now - 3 * MINUTE), api.line(2, at=now - 5 * MINUTE, sealing={"address": "198.51.100.1"})]
    assert (await api.report(lines))["kept"] == 2
    await house.node.last_used.write(house.node.database)
    shown = (await browser.get(path)).text
    assert ("Never" in shown, "3 minutes ago" in shown, "203.0.113.9" in shown, "curl" in shown) == (False, *[True] * 3)
    assert "198.51.100.1" not in shown

    async def erase(tx: Transaction) -> None:
        await tx.run(update(activity_records).values(details=None, user_id=None))

    await house.node.act(erase)
    erased = (await browser.get(path)).text
    assert ("3 minutes ago" in erased, "203.0.113.9" in erased) == (True, False)


async def test_a_refused_report_is_no_use_of_anybodys_token(house: House) -> None:
    stage = await set_stage(house)
    api = await reporting(stage)
    assert (await api.report([api.line(1, sealing={"user": str(stage.bob.user_id)})]))["kept"] == 0
    await house.node.last_used.write(house.node.database)
    assert "Never" in (await (await stage.at_browser(stage.ada)).get("/settings/tokens")).text


async def test_an_app_shows_the_last_use_of_this_users_grant_alone(house: House) -> None:
    stage = await set_stage(house)
    app = await stage.scene.app("Ledger", stage.acme, stage.ada, "https://app.example.com/cb")
    await (await stage.app_access(app, stage.ada, stage.acme)).get("/api/v2/me")
    await house.node.last_used.write(house.node.database)
    client_id = app.client.client_id
    await happen(house.node, stage.ada, stage.acme, client=client_id, at=house.node.now() + 1)
    await happen(
        house.node, stage.cleo, stage.acme, client=client_id, at=house.node.now() + 2, sealing={"address": "192.0.2.7"}
    )
    browser = await stage.at_browser(stage.ada)
    for path in ("/settings/apps", "/team/apps"):
        shown = (await browser.get(path)).text
        assert ("just now" in shown, "203.0.113.9" in shown, "192.0.2.7" in shown) == (True, True, False)
