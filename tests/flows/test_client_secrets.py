"""A client's secret is rotated on its page; the old one works as long as was picked, and no longer."""

import pytest
from sqlalchemy import select

from keybearer.server import secrets
from keybearer.server.store.tables import client_secrets
from tests.support.api import Stage
from tests.support.client_pages import at_the_desk, count, path_of, token_endpoint_blames, told_of
from tests.support.clock import HandClock
from tests.support.people import CALLBACK, Person, RegisteredApp

WORKS, REFUSED = "invalid_grant", "invalid_client"


@pytest.fixture
async def ada(stage: Stage) -> Person:
    return await at_the_desk(stage, "Ada")


async def rotated(ada: Person, app: RegisteredApp, overlap: str) -> str:
    """Rotate on the page, and copy the new secret."""
    await ada.browser.get(path_of(app))
    page = await ada.browser.fill_and_submit("Rotate secret", overlap=overlap)
    assert (page.status, page.headers["cache-control"]) == (200, "no-store")
    assert set(page.shown) == {"client-secret"}
    return page.shown["client-secret"]


@pytest.mark.parametrize(
    ("overlap", "seconds"), [("1h", 3600), ("24h", 86_400), ("7d", 604_800)], ids=["1 hour", "24 hours", "7 days"]
)
async def test_the_old_secret_works_until_the_overlap_ends(
    stage: Stage, ada: Person, clock: HandClock, overlap: str, seconds: int
) -> None:
    app = await ada.register("Ledger Sync")
    new = await rotated(ada, app, overlap)
    assert new != app.secret
    clock.advance(seconds=seconds - 0.000_001)
    assert await token_endpoint_blames(stage, app, app.secret) == WORKS
    clock.advance(seconds=0.000_001)
    assert await token_endpoint_blames(stage, app, app.secret) == REFUSED
    assert await token_endpoint_blames(stage, app, new) == WORKS


async def test_stop_at_once_means_at_once(stage: Stage, ada: Person) -> None:
    app = await ada.register("Ledger Sync")
    new = await rotated(ada, app, "now")
    assert "has stopped working" in ada.browser.page.text
    assert await token_endpoint_blames(stage, app, app.secret) == REFUSED
    assert await token_endpoint_blames(stage, app, new) == WORKS
    assert await told_of(stage, f"client:{app.client_id}") == ["client.created", "client.secret_rotated"]


async def test_stopping_at_once_ends_what_an_earlier_rotation_left_working(stage: Stage, ada: Person) -> None:
    app = await ada.register("Ledger Sync")
    second = await rotated(ada, app, "7d")
    third = await rotated(ada, app, "now")
    blamed = [await token_endpoint_blames(stage, app, secret) for secret in (app.secret, second, third)]
    assert blamed == [REFUSED, REFUSED, WORKS]


async def test_a_longer_overlap_does_not_give_an_ending_secret_more_time(
    stage: Stage, ada: Person, clock: HandClock
) -> None:
    app = await ada.register("Ledger Sync")
    second = await rotated(ada, app, "1h")
    await rotated(ada, app, "7d")
    clock.advance(hours=1)
    assert await token_endpoint_blames(stage, app, app.secret) == REFUSED
    assert await token_endpoint_blames(stage, app, second) == WORKS


async def test_the_page_tells_when_each_secret_ends_and_never_shows_one_again(ada: Person, clock: HandClock) -> None:
    app = await ada.register("Ledger Sync")
    clock.advance(hours=2)
    new = await rotated(ada, app, "24h")
    assert "goes on working until 25 Nov 2026, 14:00 UTC" in ada.browser.page.text
    page = await ada.browser.follow("I have copied it")
    assert app.secret not in page.html
    assert new not in page.html
    assert (
        f"…{app.secret[-4:]} 2 hours ago in 1 day 25 Nov 2026, 14:00 UTC …{new[-4:]} just now When it is rotated"
        in page.text
    )


async def test_only_digests_are_kept(stage: Stage, ada: Person) -> None:
    app = await ada.register("Ledger Sync")
    new = await rotated(ada, app, "1h")
    kept = await stage.house.node.database.many(select(client_secrets.c.digest))
    assert {row["digest"] for row in kept} == {secrets.digest(app.secret), secrets.digest(new)}


async def test_five_secrets_are_enough_until_one_has_ended(stage: Stage, ada: Person, clock: HandClock) -> None:
    app = await ada.register("Ledger Sync")
    for _ in range(4):
        await rotated(ada, app, "1h")
    await ada.browser.get(path_of(app))
    page = await ada.browser.fill_and_submit("Rotate secret", overlap="1h")
    assert page.status == 422
    assert "5 secrets work already" in page.text
    assert await token_endpoint_blames(stage, app, app.secret) == WORKS
    assert await count(stage, client_secrets) == [5]
    clock.advance(hours=1)
    new = await rotated(ada, app, "1h")
    assert await token_endpoint_blames(stage, app, new) == WORKS


@pytest.mark.parametrize("overlap", [None, "", "30d", "now ", "-1h"])
async def test_an_overlap_that_is_not_offered_changes_nothing(stage: Stage, ada: Person, overlap: str | None) -> None:
    app = await ada.register("Ledger Sync")
    page = await ada.browser.post(f"{path_of(app)}/rotate", [] if overlap is None else [("overlap", overlap)])
    assert page.status == 422
    assert "Choose how long" in page.text
    assert await token_endpoint_blames(stage, app, app.secret) == WORKS
    assert await told_of(stage, f"client:{app.client_id}") == ["client.created"]


async def test_a_public_app_has_no_secret_to_rotate(stage: Stage, ada: Person) -> None:
    app = await ada.register("Pocket", CALLBACK, "public")
    page = await ada.browser.post(f"{path_of(app)}/rotate", [("overlap", "now")])
    assert page.status == 422
    assert "A public app has no secret" in page.text
    assert await count(stage, client_secrets) == [0]
