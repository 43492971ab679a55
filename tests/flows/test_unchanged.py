"""A change that changes nothing is answered like any other, and leaves no trace."""

from typing import Any, Final

from sqlalchemy import select

from keybearer.server.store.tables import client_redirect_uris, clients, feed, memberships, teams, users, webhooks
from tests.support.activity import recorded
from tests.support.api import set_stage
from tests.support.clock import HandClock
from tests.support.house import House
from tests.support.people import CALLBACK

KEPT: Final = (users, teams, memberships, clients, client_redirect_uris, webhooks, feed)
HOOK: Final = "https://hooks.example.com/in"


async def traces(house: House) -> list[list[dict[str, Any]]]:
    """Return all rows that a change could touch, what verifiers are told, and what the activity log says."""
    read = house.node.database.many
    rows = [[dict(row) for row in await read(select(table).order_by(*table.primary_key))] for table in KEPT]
    said = [
        {"activity_id": each["activity_id"], "action": each["action"]} for each in await recorded(house.node.database)
    ]
    return [*rows, said]


async def test_what_is_so_already_is_not_written_again(house: House, clock: HandClock) -> None:
    stage = await set_stage(house)
    api = await stage.personal(stage.ada, stage.acme)
    for path, body in (
        ("/api/v2/me", {"name": "Ada Lovelace", "email": "ada@example.com"}),
        ("/api/v2/team", {"contact": "acme@example.com", "telephone": "112"}),
    ):
        first = await api.patch(path, json=body)
        before = await traces(house)
        clock.advance(hours=1)
        again = await api.patch(path, json=body)
        assert (again.status_code, again.json()) == (200, first.json())
        assert await traces(house) == before


async def test_a_form_that_is_sent_as_it_stands_changes_nothing(house: House, clock: HandClock) -> None:
    stage = await set_stage(house)
    ada = await stage.at_browser(stage.ada)
    app = await stage.scene.app("Ledger", stage.acme, stage.ada, CALLBACK)
    cleo = await stage.place_of(stage.acme, stage.cleo)
    await ada.get("/team/webhooks/new")
    await ada.fill_and_submit("Add webhook", url=HOOK, events=["member.*"])
    hook = ada.page.link("I have copied it")
    for address, button in (
        ("/settings/account", "Save name"),
        ("/team", "Save"),
        (f"/settings/clients/{app.client.client_id}", "Save changes"),
        (f"/team/members/{cleo.membership_id}", "Change role"),
        (hook, "Save changes"),
    ):
        await ada.get(address)
        before = await traces(house)
        clock.advance(seconds=1)
        page = await ada.fill_and_submit(button)
        assert page.status == 200, page.text
        assert await traces(house) == before, address
