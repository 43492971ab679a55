"""Operators scrape what was done, by exactly how much, and nothing that tells who did it."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from pydantic import SecretStr

from keybearer.server import ledger, refusals
from keybearer.server.actions.set_user_disabled import set_user_disabled
from keybearer.server.activities import Activity, Actor
from keybearer.server.metrics.scrape import PATH
from keybearer.server.metrics.scrape import Scrape as Scraper
from keybearer.server.metrics.workers import Workers, folder_of_workers
from keybearer.server.settings import Settings
from keybearer.server.store.database import Transaction
from keybearer.wire.denial import Reason
from tests.support.api import set_stage
from tests.support.clock import HandBoottime, HandClock
from tests.support.house import House, open_house
from tests.support.oauth import Play
from tests.support.scraped import Scraped, scrape_of, scraping
from tests.support.verifiers import asking
from tests.support.webhook_desk import HookDesk

Scrape = Callable[[], Awaitable[Scraped]]


@pytest.fixture
async def scrape(play: Play) -> Scrape:
    """Scrape once the scene is set."""
    return scraping(play.house)


async def test_requests_are_counted_by_what_became_of_them(play: Play, scrape: Scrape) -> None:
    token = await play.scene.personal_token(play.ada, play.acme)
    before = await scrape()
    assert await play.status(token) == 204
    assert await play.status("kb_pat_test_nonsense") == 401
    program = play.house.program()
    assert (await program.get("/api/v2/teams/1/members")).status_code == 401
    assert (await program.get("/nobody/knows?this=path")).status_code == 404
    assert (await program.request("BREW", "/api/v2/status")).status_code == 405
    risen = (await scrape()).risen(before, "requests_total", "refusals_total", "denials_total", "hits_total")
    assert risen == {
        "requests_total GET /api/v2/status 204": 1,
        "requests_total GET /api/v2/status 401": 1,
        "requests_total GET /api/v2/teams/{team_id}/members 401": 1,
        "requests_total GET unmatched 404": 1,
        "requests_total other /api/v2/status 405": 1,
        "refusals_total method_not_allowed": 1,
        "refusals_total unauthenticated": 2,
        "denials_total malformed": 1,
        "denials_total missing": 1,
    }


async def test_every_request_is_timed_once(play: Play, scrape: Scrape) -> None:
    before = await scrape()
    for _ in range(3):
        await play.house.program().get("/healthz")
    after = await scrape()
    timed = {"method": "GET", "route": "/healthz"}
    assert after.value("request_duration_seconds_count", **timed) == 3
    assert after.value("request_duration_seconds_bucket", le="+Inf", **timed) == 3
    assert after.value("request_duration_seconds_sum", **timed) > before.value("request_duration_seconds_sum", **timed)


async def test_what_the_token_endpoint_does_is_counted_by_grant_type_and_outcome(play: Play, scrape: Scrape) -> None:
    code = await play.code()
    before = await scrape()
    pair = (await play.exchange(code)).json()
    assert (await play.refresh(pair["refresh_token"])).status_code == 200
    assert (await play.refresh("kb_ort_test_nonsense")).status_code == 400
    assert (await play.refresh(pair["refresh_token"], client_secret="wrong")).status_code == 401
    assert (await play.post("/oauth/token", grant_type="password")).status_code == 400
    assert (await play.post("/oauth/token", grant_type="kb_canary")).status_code == 400
    assert (await play.post("/oauth/revoke", token="unknown")).status_code == 200
    assert (await scrape()).risen(before, "token_requests_total") == {
        "token_requests_total authorization_code issued": 1,
        "token_requests_total refresh_token issued": 1,
        "token_requests_total refresh_token invalid_grant": 1,
        "token_requests_total refresh_token invalid_client": 1,
        "token_requests_total other unsupported_grant_type": 2,
    }


async def test_tokens_issued_and_revoked_are_counted(play: Play, scrape: Scrape) -> None:
    before = await scrape()
    pair = await play.pair()
    refreshed = (await play.refresh(pair["refresh_token"])).json()
    assert (await play.post("/oauth/revoke", token=refreshed["access_token"])).status_code == 200
    token = await play.scene.personal_token(play.ada, play.acme)
    assert (await play.house.api(token).delete("/api/v2/token")).status_code == 204
    while not (await scrape()).risen(before, "call_records_shipped_total"):
        await play.house.node.call_records.flush()
    assert (await scrape()).risen(before, "changes_total", "call_records_shipped_total") == {
        "changes_total grant.created": 1,
        "changes_total token.issued": 1,
        "changes_total token.refreshed": 1,
        "changes_total token.revoked": 1,
        "changes_total grant.ended": 1,
        "call_records_shipped_total": 1,
    }


async def test_commits_and_the_transactions_in_them_are_counted(play: Play, scrape: Scrape) -> None:
    before = await scrape()
    await asyncio.gather(*(play.scene.person(f"user{number}") for number in range(20)))
    after = await scrape()
    assert after.value("transactions_total") - before.value("transactions_total") >= 20
    commits = after.value("commit_duration_seconds_count") - before.value("commit_duration_seconds_count")
    assert 1 <= commits <= after.value("transactions_total") - before.value("transactions_total")


async def test_what_can_happen_stands_at_zero_before_it_has(scrape: Scrape) -> None:
    text = (await scrape()).text
    for series in (
        *(f'denials_total{{reason="{reason}"}}' for reason in Reason),
        'changes_total{action="refresh.replayed"}',
        'changes_total{action="session.refused"}',
        'mails_total{outcome="failed"}',
        'webhook_attempts_total{outcome="failed"}',
        'store_faults_total{fault="OutcomeUnknown"}',
    ):
        assert f"keybearer_{series} 0.0\n" in text, series


async def test_only_that_address_is_answered_and_only_looked_at(play: Play) -> None:
    client = scrape_of(play.house)
    head = await client.head("/metrics")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["cache-control"] == "no-store"
    assert (await client.post("/metrics")).status_code == 405
    for path in ("/", "/metrics/", "/healthz", "/api/v2/me", "/login"):
        assert (await client.get(path)).status_code == 404, path
    assert (await play.house.program().get("/metrics")).status_code == 404


async def test_a_scraper_gets_the_format_it_asks_for(play: Play) -> None:
    answer = await scrape_of(play.house).get(
        "/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"}
    )
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    families = openmetrics.text_string_to_metric_families(answer.text)  # type: ignore[no-untyped-call]
    assert {"keybearer_denials", "keybearer_commit_duration_seconds", "keybearer_build_info"} <= {
        family.name for family in families
    }


async def test_what_is_rolled_back_is_not_counted_and_what_shared_its_commit_is(play: Play, scrape: Scrape) -> None:
    async def change(tx: Transaction, number: int) -> None:
        await ledger.record(tx, Actor("", "test"), Activity("user.changed", f"user:{number}"), play.house.node.now())
        if number % 2:
            raise refusals.forbidden("an odd one")

    before = await scrape()
    became = await asyncio.gather(*(play.house.node.act(change, each) for each in range(6)), return_exceptions=True)
    assert [isinstance(each, refusals.Refusal) for each in became] == [False, True] * 3
    assert (await scrape()).risen(before, "changes_total") == {"changes_total user.changed": 3}


async def test_a_wrong_password_is_counted_and_not_by_whom_it_was_typed(play: Play, scrape: Scrape) -> None:
    before = await scrape()
    browser = play.house.browser()
    await browser.get("/login")
    await browser.fill_and_submit("Sign in", email="ada@example.com", password="canary-of-a-password")
    after = await scrape()
    assert after.risen(before, "changes_total") == {"changes_total session.refused": 1}
    assert after.value("refusals_total", code="unauthenticated") == 1
    assert "ada" not in after.text
    assert "canary" not in after.text


async def test_a_delivery_that_is_not_taken_is_counted_and_waits(desk: HookDesk) -> None:
    scrape = scraping(desk.house)
    await desk.add(["token.created"])
    desk.receiver.answers(503)
    before = await scrape()
    await desk.ada.make_token("Reports")
    await desk.receiver.has_heard(1)
    await desk.all_sent()
    after = await scrape()
    assert after.risen(before, "webhook_attempts_total") == {"webhook_attempts_total failed": 1}
    assert (after.value("webhook_deliveries_waiting"), after.value("webhook_overdue_seconds")) == (1, 0)


async def test_verifiers_are_counted_while_they_may_accept_tokens(
    database_url: str, tmp_path: Path, clock: HandClock
) -> None:
    settings = Settings(data_dir=tmp_path, database_url=SecretStr(database_url), issuer="https://keybearer.test")
    boottime = HandBoottime()

    async def seen() -> tuple[float, float]:
        scraped = await scrape()
        return scraped.value("verifiers"), scraped.value("verifier_unconfirmed_seconds")

    async with open_house(settings, clock.now, boottime.now) as house:
        scrape, stage, verifier = scraping(house), await set_stage(house), await asking(house)
        assert await seen() == (0, 0)
        for _ in range(2):  # the second question confirms the first answer
            await verifier.sync()
        boottime.advance(2)
        assert await seen() == (1, 0)
        somebody, now = Actor("", "test"), house.node.now()
        await house.node.act(set_user_disabled, somebody, stage.ada.user_id, now, is_disabled=True)
        await house.node.feed.fresh()
        assert await seen() == (1, 2)
        boottime.advance(settings.bound)
        assert await seen() == (0, 0)


async def test_a_worker_that_cannot_tell_the_others_what_it_measures_says_so_to_scrapers_alone(
    house: House, tmp_path: Path
) -> None:
    with folder_of_workers(tmp_path) as root, closing(Workers(root)) as workers:
        scraper, client = Scraper(house.node, house.app.state.requests, workers), scrape_of(house, workers)
        assert (await client.get(PATH)).status_code == 200
        shutil.rmtree(root)
        await scraper.keep()
        answer = await client.get(PATH)
        assert answer.status_code == 503
        assert answer.text == "Workers cannot share what they measure: No such file or directory.\n"
