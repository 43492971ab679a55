"""`/activity`: who sees what, filters that stay chosen, paging, and one record by itself."""

import re
from typing import Any

import pytest
from sqlalchemy import update

from keybearer.server.clock import HOUR
from keybearer.server.pages import activity_chart
from keybearer.server.reads import activity
from keybearer.server.store.database import Transaction
from keybearer.server.store.tables import activity_records
from tests.support.api import Stage
from tests.support.clock import HandClock
from tests.support.happenings import SPOILT, happen, held_token, spoil
from tests.support.page import Page
from tests.support.verifiers import asking


def records_of(page: Page) -> int:
    """Return how many records a page lists."""
    return len(addresses_of(page))


def addresses_of(page: Page) -> list[str]:
    return [address for _, address in page.links if re.match(r"/activity/\d", address)]


async def test_an_owner_sees_what_all_did_a_member_their_own_and_a_stranger_nothing(stage: Stage) -> None:
    node = stage.house.node
    await happen(node, stage.ada, stage.acme, route="/by-ada")
    await happen(node, stage.cleo, stage.acme, route="/by-cleo")
    await happen(node, stage.bob, stage.works, route="/in-works")
    ada, cleo = [await stage.at_browser(user) for user in (stage.ada, stage.cleo)]
    owners, members = await ada.get("/activity"), await cleo.get("/activity")
    assert ("/by-ada" in owners.text, "/by-cleo" in owners.text, "/in-works" in owners.text) == (True, True, False)
    assert ("/by-ada" in members.text, "/by-cleo" in members.text) == (False, True)
    assert ("Everybody" in owners.text, "Everybody" in members.text) == (True, False)
    assert "Nothing matches" in (await cleo.get(f"/activity?user={stage.ada.user_id}")).text
    assert (await cleo.get(f"/activity?team={stage.works.team_id}")).status == 404
    # Ada is a member of Works: she may look there without making it the active team, at what is her own.
    elsewhere = await ada.get(f"/activity?team={stage.works.team_id}")
    assert ("not your active team" in elsewhere.text, "/in-works" in elsewhere.text) == (True, False)
    assert (await stage.house.browser().get("/activity")).url.endswith("/login?next=%2Factivity")


async def test_a_record_is_found_by_whoever_may_see_it_and_by_nobody_else(stage: Stage) -> None:
    text, token = await held_token(stage, stage.ada, stage.acme)
    assert text
    said: dict[str, Any] = {"token_last4": token.last4, "request_id": "the-request", "token": token.token_id}
    await happen(stage.house.node, stage.ada, stage.acme, sealing={"words": '{"client":7832}'}, **said)
    ada, cleo = [await stage.at_browser(user) for user in (stage.ada, stage.cleo)]
    listed = await ada.get("/activity?action=api.called")
    (address,) = addresses_of(listed)
    record = await ada.get(address)
    for told in ("api.called", "the-request", "203.0.113.9", "curl/8.5.0", '{"client":7832}', "Ada", token.last4):
        assert told in record.text, told
    assert record.link("All that this token did") == f"/activity?token={token.token_id}"
    assert f"/settings/tokens#token-{token.grant_id}" in record.html
    number = re.search(r"/activity/(\d+)", address)
    assert number is not None
    missing = await cleo.get("/activity/999999")
    foreign = await cleo.get(f"/activity/{number[1]}")
    assert (missing.status, foreign.status) == (404, 404)
    bob = await stage.at_browser(stage.bob)
    assert (await bob.get(f"/activity/{number[1]}")).status == 404
    assert (await ada.get("/activity/1x")).status == 404


async def test_a_call_tells_which_api_it_was_at_and_what_the_api_says_of_it(stage: Stage) -> None:
    api = await asking(stage.house, name="Ledger API")
    told: dict[str, Any] = {"reporter": api.resource_server_id, "boot": "boot-1", "n": 1, "action": "invoice.sent"}
    await happen(stage.house.node, stage.ada, stage.acme, **told)
    ada = await stage.at_browser(stage.ada)
    listed = await ada.get("/activity?action=invoice.sent")
    record = await ada.get(*addresses_of(listed))
    assert "invoice.sent at Ledger API" in listed.text
    assert all(said in record.text for said in ("GET /invoices/{id}", "invoice.sent", "Ledger API"))


async def test_a_call_to_what_is_not_there_is_told_by_its_method(stage: Stage) -> None:
    for action in ("api.called", "invoice.sent"):
        await happen(stage.house.node, stage.ada, stage.acme, action=action, method="DELETE", route=None, status=404)
        ada = await stage.at_browser(stage.ada)
        listed = await ada.get(f"/activity?action={action}")
        record = await ada.get(*addresses_of(listed))
        assert "DELETE without a known route" in listed.text
        assert "DELETE without a known route" in record.text
    assert "DELETE without a known routeinvoice.sent Done" in listed.text, "in two lines"


async def test_a_call_through_a_gateway_is_told_by_its_method_and_its_api(stage: Stage) -> None:
    told: dict[str, Any] = {"reporter": "keybearer", "boot": "boot-1", "method": "DELETE", "route": "/forward-auth"}
    await happen(stage.house.node, stage.ada, stage.acme, n=1, sealing={"words": '{"api":"Ledger API"}'}, **told)
    await happen(stage.house.node, stage.ada, stage.acme, n=2, **told)
    ada = await stage.at_browser(stage.ada)
    listed = await ada.get("/activity?action=api.called")
    record = await ada.get(addresses_of(listed)[-1])
    assert "DELETE through a gateway to Ledger API" in listed.text
    assert "DELETE through a gateway Done" in listed.text, "what its API is called was erased"
    assert "DELETE through a gateway to Ledger API" in record.text
    assert "/forward-auth" not in listed.html


@pytest.mark.parametrize("spoilt", [pytest.param(columns, id=name) for name, columns in SPOILT.items()])
async def test_a_record_spoilt_in_the_database_is_said_to_be_and_hides_no_other(
    stage: Stage, spoilt: dict[str, bytes]
) -> None:
    node = stage.house.node
    for request_id in ("sound", "spoilt"):
        await happen(node, stage.ada, stage.acme, request_id=request_id, route=f"/{request_id}", outcome="refused")
    await node.act(spoil, "spoilt", **spoilt)
    ada = await stage.at_browser(stage.ada)
    listed = await ada.get("/activity?outcome=refused")
    assert (listed.status, "/sound" in listed.text, listed.text.count("Damaged")) == (200, True, 2)
    record = await ada.get(addresses_of(listed)[0])
    assert (record.status, "Somebody changed this record in the database" in record.text) == (200, True)
    assert "Somebody changed" not in (await ada.get(addresses_of(listed)[1])).text


@pytest.mark.parametrize("words", ["no JSON", "[]", '{"api":5}', '{"a":' * 300])
async def test_words_spoilt_in_the_database_hide_no_call_through_a_gateway(stage: Stage, words: str) -> None:
    told: dict[str, Any] = {"reporter": "keybearer", "boot": "boot-1", "method": "DELETE", "route": "/forward-auth"}
    await happen(stage.house.node, stage.ada, stage.acme, n=1, sealing={"words": words}, **told)
    listed = await (await stage.at_browser(stage.ada)).get("/activity?action=api.called")
    assert "DELETE through a gateway" in listed.text


async def test_what_was_chosen_stays_chosen_and_older_leads_on(stage: Stage, clock: HandClock) -> None:
    for number in range(53):
        await happen(stage.house.node, stage.ada, stage.acme, at=clock.now() - number * HOUR, outcome="refused")
    await happen(stage.house.node, stage.ada, stage.acme)
    ada = await stage.at_browser(stage.ada)
    await ada.get("/activity")
    page = await ada.fill_and_submit("Show", outcome="refused", action="api.called")
    assert records_of(page) == 50
    form = next(form for form in page.forms if form.action == "/activity")
    assert {("outcome", "refused"), ("action", "api.called")} <= set(form.values)
    older = await ada.follow("Older")
    assert (records_of(older), "That is all" in older.text) == (3, True)
    assert older.link("Newest").startswith("/activity?")
    other_query = re.sub("outcome=refused", "outcome=done", older.url)
    assert "not one of this query" in (await ada.get(other_query)).text


async def test_a_wrong_filter_is_named_and_kept_and_lists_nothing(stage: Stage) -> None:
    await happen(stage.house.node, stage.ada, stage.acme)
    ada = await stage.at_browser(stage.ada)
    page = await ada.get("/activity?from=yesterday&user=ada&client=%3Cscript%3E")
    assert (page.status, records_of(page)) == (422, 0)
    assert "“from” must be one day or one time" in page.text
    assert "<script>" not in page.html
    assert ("from", "yesterday") in next(form for form in page.forms if form.action == "/activity").values


async def test_the_chart_has_its_numbers_as_a_table_and_says_when_it_does_not_count_all(
    stage: Stage, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for ago, outcome in ((0, "done"), (0, "failed"), (30 * HOUR, "done")):
        await happen(stage.house.node, stage.ada, stage.acme, at=clock.now() - ago, outcome=outcome)
    page = await (await stage.at_browser(stage.ada)).get("/activity?action=api.called")
    assert "3 records from 17 Nov 2026, 12:00 UTC to 24 Nov 2026, 12:00 UTC" in page.text
    assert page.html.count("<rect") == 3
    cells = re.findall(r"<tr><th scope=\"row\">(.+?)</th><td .+?>(\d+)</td><td .+?>(\d+)</td></tr>", page.html)
    assert cells == [("23 Nov 2026, 06:00 UTC", "1", "0"), ("24 Nov 2026, 12:00 UTC", "1", "1")]
    for module in (activity, activity_chart):
        monkeypatch.setattr(module, "MOST_COUNTED", 2)
    page = await (await stage.at_browser(stage.ada)).get("/activity?action=api.called")
    assert "2 or more records from 17 Nov 2026, 12:00 UTC to 24 Nov 2026, 12:00 UTC. Only the newest 2" in page.text
    assert re.findall(r"<rect class=\"([\w-]+)\"", page.html) == ["bars-uncounted", "bar-done", "bar-others"]


async def test_an_erased_record_says_so_and_a_record_of_nobody_is_shown(stage: Stage) -> None:
    await happen(stage.house.node, stage.cleo, stage.acme)

    async def erase(tx: Transaction) -> None:
        await tx.run(update(activity_records).values(details=None, user_id=None))

    await stage.house.node.act(erase)
    ada = await stage.at_browser(stage.ada)
    page = await ada.get("/activity?action=api.called")
    assert ("Erased" in page.text, "203.0.113.9" in page.text) == (True, False)


async def test_lists_of_tokens_and_apps_lead_to_what_each_did(stage: Stage) -> None:
    _, here = await held_token(stage, stage.ada, stage.acme)
    _, there = await held_token(stage, stage.ada, stage.works)
    app = await stage.scene.app("Ledger", stage.acme, stage.ada, "https://app.example.com/cb")
    await stage.access_text(app, stage.ada, stage.acme)
    await happen(stage.house.node, stage.ada, stage.works, token=there.token_id, route="/in-works")
    ada = await stage.at_browser(stage.ada)
    own = {address for _, address in (await ada.get("/settings/tokens")).links}
    in_works = f"/activity?token={there.token_id}&team={stage.works.team_id}"
    assert {f"/activity?token={here.token_id}", in_works} <= own
    assert "/in-works" in (await ada.get(in_works)).text
    by_app = f"/activity?client={app.client.client_id}&user={stage.ada.user_id}"
    assert by_app in {address for _, address in (await ada.get("/settings/apps")).links}
    team = {address for _, address in (await ada.get("/team/apps")).links}
    assert {by_app, f"/activity?token={here.token_id}"} <= team
    client = await ada.get(f"/settings/clients/{app.client.client_id}")
    assert client.link("All that it did in Acme") == f"/activity?client={app.client.client_id}"


async def test_an_empty_log_says_what_will_stand_there(stage: Stage) -> None:
    page = await (await stage.at_browser(stage.cleo)).get("/activity?team=")
    assert "Nothing has happened yet" in page.text
