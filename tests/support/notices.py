"""A house where time is moved until tokens end, and the mail that their users get."""

import asyncio
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final

from sqlalchemy import bindparam, select

from keybearer.server.store.tables import expiries, notices
from tests.support.clock import START
from tests.support.mailbox import Mailbox
from tests.support.receiver import TIMEOUT_S
from tests.support.webhook_desk import HookDesk

_TO_LOOK_AT: Final = select(expiries.c.grant_id).where(expiries.c.look_at <= bindparam("now")).limit(1)
_TO_MAIL: Final = (
    select(notices.c.grant_id).where((notices.c.due_at <= bindparam("now")) | notices.c.claim_id.is_not(None)).limit(1)
)
GATHERING_MINUTES: Final = 10


@dataclass(slots=True)
class Watch:
    """
    A house, its clock, and the mail that leaves it.

    Args:
        seen: how many mails were returned already; they leave the house when they are due, looked for or not.
    """

    desk: HookDesk
    seen: int = 0

    async def mailed(self, *, days: float, minutes: float = 0) -> list[EmailMessage]:
        """Let it be so long after the clock's start, and then wait as mails wait for each other; return what came."""
        await self.all_told()
        self.desk.clock.at = START
        self.desk.clock.advance(days=days, minutes=minutes)
        await self.all_told()
        self.desk.clock.advance(minutes=GATHERING_MINUTES)
        return await self.mailed_at_once()

    async def mailed_at_once(self) -> list[EmailMessage]:
        """Return what is mailed without waiting for anything else."""
        await self.all_told()
        mails = self.mailbox.all()[self.seen :]
        self.seen += len(mails)
        return mails

    async def all_told(self) -> None:
        """Wait until there is nothing to look at, to mail, or to send to webhooks at this moment."""
        async with asyncio.timeout(TIMEOUT_S):
            while await self._is_any_left():
                self.desk.house.node.notice_sender.wake()
                await asyncio.sleep(0.01)
        await self.desk.all_sent()

    @property
    def mailbox(self) -> Mailbox:
        """Everybody's mail."""
        return Mailbox(self.desk.house.settings.data_dir / "mail")

    async def _is_any_left(self) -> bool:
        database, now = self.desk.house.node.database, self.desk.clock.now()
        return bool(await database.many(_TO_LOOK_AT, now=now) or await database.many(_TO_MAIL, now=now))
