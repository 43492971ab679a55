"""Sends notices: finds tokens and apps that are about to end, and mails users what the queue holds for them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog

from keybearer.server import secrets
from keybearer.server.actions.note_expiries import note_expiries
from keybearer.server.clock import MINUTE, Clock
from keybearer.server.mail.mailer import LetterRefused, Mailer
from keybearer.server.notices.letters import NoticeLetters
from keybearer.server.records import ToldNotice
from keybearer.server.refusals import Refusal
from keybearer.server.rules.expiry_notices import NEWS_FOR, is_still_news, retry_after
from keybearer.server.store import expiries, notices
from keybearer.server.store.database import Database
from keybearer.server.upkeep import again_and_again

_LOOK_EVERY_S: Final = 5.0
_USERS_AT_ONCE: Final = 20
# Many times what handing over one mail may take. A node that dies meanwhile leaves it to others from then on.
_CLAIM_LASTS: Final = 5 * MINUTE

_LOG = structlog.get_logger("keybearer.notices")


class NoticeSender:
    """
    Looks every few seconds; every node does, and the store decides which of them handles a notice.

    Notices are claimed before their mail is sent, and deleted afterwards. If a node dies in between, another sends the
    mail, perhaps for the second time. It is composed when it is sent, and says how things stand then.

    Args:
        letters: None: nobody is mailed, and notices that wait are deleted.
        now: microseconds since 1970 UTC.
    """

    def __init__(self, database: Database, mailer: Mailer, letters: NoticeLetters | None, now: Clock) -> None:
        self._database = database
        self._mailer = mailer
        self._letters = letters
        self._now = now
        self._woken = asyncio.Event()

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Tell while the block lasts."""
        looking = asyncio.create_task(again_and_again(_LOOK_EVERY_S, "sending notices", self._look, self._woken))
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    def wake(self) -> None:
        """Look at once."""
        self._woken.set()

    async def _look(self) -> None:
        while await expiries.is_any_due(self._database, self._now()):
            if not await self._database.transact(note_expiries, self._now()):
                break
        while due := await notices.users_due(self._database, self._now(), _USERS_AT_ONCE):
            for user_id in due:
                if not await self._tell(user_id):
                    return  # the mail server may be away; the next look tries the next one

    async def _tell(self, user_id: int) -> bool:
        """
        Mail one user all notices that wait and are still true; what cannot be mailed is tried again later.

        Returns:
            False: the mail server may be away, so that no other mail could be sent now.
        """
        now = self._now()
        claim_id = secrets.record_id(now)
        claimed = await self._database.transact(notices.claim, user_id, claim_id, now, now + _CLAIM_LASTS)
        told = [one for one in claimed if is_still_news(one.kind, one.at, one.standing, now)]
        fault = await self._fault(user_id, self._letters, told) if told and self._letters else None
        if fault is None:
            await self._database.transact(notices.forget, claim_id)
            return True
        next_at = now + retry_after(min(one.attempts for one in told) + 1)
        await self._database.transact(notices.put_off, claim_id, next_at, now - NEWS_FOR)
        return isinstance(fault, (LetterRefused, ValueError))

    async def _fault(self, user_id: int, letters: NoticeLetters, told: list[ToldNotice]) -> Refusal | ValueError | None:
        """Send the mail; return why it could not be sent, which must not stop the others; None if it was."""
        try:
            await self._mailer.send(letters.letter(told))
        except (Refusal, ValueError) as fault:
            why = fault.detail if isinstance(fault, Refusal) else type(fault).__name__
            _LOG.warning("notice not mailed, to be tried again", user=user_id, why=why)
            return fault
        _LOG.info("notice mailed", user=user_id, count=len(told))
        return None
