"""The webhooks of a team: an owner at their pages, a program that receives, and the sender between them."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import bindparam, func, select

from keybearer.server.settings import Settings
from keybearer.server.store.tables import activity_records, webhook_deliveries, webhooks
from tests.support.clock import HandClock
from tests.support.house import House, open_house
from tests.support.oauth import Play, set_play
from tests.support.page import Page
from tests.support.people import Person
from tests.support.receiver import TIMEOUT_S, Receiver

LIST: Final = "/team/webhooks"
EVERYTHING: Final = ("*",)
_LOG: Final = select(webhook_deliveries).order_by(webhook_deliveries.c.delivery_id)
_OPEN: Final = (
    select(func.count().label("total"))
    .select_from(webhook_deliveries.join(webhooks, webhooks.c.webhook_id == webhook_deliveries.c.webhook_id))
    .where(
        webhook_deliveries.c.status == "waiting",
        (webhook_deliveries.c.due_at <= bindparam("now")) | webhook_deliveries.c.claim_id.is_not(None),
        webhooks.c.switched_off_at.is_(None),
        webhooks.c.deleted_at.is_(None),
    )
)
_RECORDED: Final = (
    select(activity_records.c.action)
    .where(activity_records.c.action.like("webhook.%"))
    .order_by(activity_records.c.activity_id)
)
_UNTOLD: Final = select(webhooks.c.webhook_id).where(webhooks.c.tell_at.is_not(None))


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook as its owner copied it."""

    webhook_id: str
    secret: str

    @property
    def path(self) -> str:
        """The address of its page."""
        return f"{LIST}/{self.webhook_id}"


@dataclass(frozen=True, slots=True)
class HookDesk:
    """Ada, who owns Acme, at her browser; the program that is told lives beside her."""

    play: Play
    ada: Person
    receiver: Receiver
    clock: HandClock

    @property
    def house(self) -> House:
        """Where it all happens."""
        return self.play.house

    async def add(self, events: Iterable[str] = EVERYTHING, url: str = "") -> Hook:
        """Add a webhook on the page, and copy its secret."""
        page = await self.try_to_add(events, url)
        assert page.status == 200, page.text
        (address,) = {link for _, link in page.links if link.startswith(f"{LIST}/0")}
        return Hook(address.rpartition("/")[2], page.shown["webhook-secret"])

    async def try_to_add(self, events: Iterable[str] = EVERYTHING, url: str = "") -> Page:
        """Send the form that adds one."""
        await self.ada.browser.get(f"{LIST}/new")
        chosen = list(events)
        return await self.ada.browser.fill_and_submit("Add webhook", url=url or self.receiver.url, events=chosen)

    async def press(self, hook: Hook, button: str, row: str = "", **fields: str | list[str]) -> Page:
        """Press a button on the webhook's page."""
        await self.ada.browser.get(hook.path)
        return await self.ada.browser.fill_and_submit(button, row, **fields)

    async def all_sent(self) -> None:
        """Have the sender look, and wait until nothing is due, nor under way."""
        async with asyncio.timeout(TIMEOUT_S):
            while await self._open():
                self.house.node.webhook_sender.wake()
                await asyncio.sleep(0.01)

    async def owners_are_told(self) -> None:
        """Wait until no webhook is left that was switched off without its owners being told."""
        async with asyncio.timeout(TIMEOUT_S):
            while await self.house.node.database.many(_UNTOLD):
                self.house.node.webhook_sender.wake()
                await asyncio.sleep(0.01)

    async def fail_for_good(self) -> None:
        """Let all that waits fail as often as it is tried."""
        for seconds in (0, 60, 120, 600, 900):
            await self.after(seconds=seconds)

    async def after(self, **period: float) -> None:
        """Let time pass, and what is due then be sent; not while something is under way: its claim would run out."""
        await self.all_sent()
        self.clock.advance(**period)
        await self.all_sent()

    async def log(self) -> list[dict[str, Any]]:
        """Return the rows of all deliveries, oldest first."""
        return [dict(row) for row in await self.house.node.database.many(_LOG)]

    async def recorded(self) -> list[str]:
        """Return what the activity log says was done to webhooks, in its order."""
        return [row["action"] for row in await self.house.node.database.many(_RECORDED)]

    async def _open(self) -> int:
        row = await self.house.node.database.one(_OPEN, now=self.clock.now())
        assert row is not None
        return int(row["total"])


@asynccontextmanager
async def hook_desk(settings: Settings, clock: HandClock, receiver: Receiver) -> AsyncIterator[HookDesk]:
    """Open a house whose webhooks may lead to this machine, with Ada signed in."""
    settings = settings.model_copy(update={"webhook_private_addresses": True})
    async with open_house(settings, clock.now) as house:
        play = await set_play(house)
        yield HookDesk(play, Person("Ada", await play.browser(play.ada)), receiver, clock)


@asynccontextmanager
async def another_node(desk: HookDesk) -> AsyncIterator[HookDesk]:
    """Run a second node on the same database, under the same clock."""
    async with open_house(desk.house.settings, desk.clock.now) as house:
        play = replace(desk.play, house=house, browsers={})
        yield HookDesk(play, Person("Ada", await play.browser(play.ada)), desk.receiver, desk.clock)
