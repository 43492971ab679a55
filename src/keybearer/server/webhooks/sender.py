"""Sends events to webhooks: claims deliveries that are due, sends them, and notes the answers."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog
from cryptography.exceptions import InvalidTag

from keybearer.server import secrets
from keybearer.server.actions.claim_deliveries import CLAIM_LASTS, Claim, claim_deliveries
from keybearer.server.actions.settle_delivery import settle_delivery
from keybearer.server.clock import Clock
from keybearer.server.mail.letters import Letters
from keybearer.server.mail.mailer import Mailer
from keybearer.server.records import ClaimedDelivery, DueWebhook, Webhook
from keybearer.server.refusals import Refusal
from keybearer.server.rules.redelivery import is_taken
from keybearer.server.rules.webhook_signature import Attempt, signed_headers
from keybearer.server.store import webhooks
from keybearer.server.store.database import Database
from keybearer.server.store.faults import StoreFault
from keybearer.server.upkeep import again_and_again
from keybearer.server.webhooks.changes import unseal_secret
from keybearer.server.webhooks.egress import PATIENCE_S, Egress
from keybearer.server.webhooks.shares import Shares

_LOOK_EVERY_S: Final = 0.5
_NOW_AND_THEN_S: Final = 5.0
_TELL_AT_ONCE: Final = 20

_LOG = structlog.get_logger("keybearer.webhooks")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """How anything leaves the server; *key* seals the signing secrets of webhooks."""

    egress: Egress
    mailer: Mailer
    letters: Letters
    key: str


class WebhookSender:
    """
    Sends what is due, several at a time, in no promised order.

    A delivery is claimed for a minute before it is sent. If the node dies meanwhile, another sends it after that: the
    same delivery, with the same id, perhaps for the second time.

    Args:
        now: microseconds since 1970 UTC.
    """

    def __init__(self, database: Database, outgoing: Outgoing, now: Clock) -> None:
        self._database = database
        self._outgoing = outgoing
        self._now = now
        self._woken = asyncio.Event()
        self._to_tell = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._shares = Shares()
        self.attempts: Counter[str] = Counter(taken=0, failed=0)
        """How many attempts were ``taken`` by their receivers, and how many ``failed``."""

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Send while the block lasts; at its end let what is under way arrive."""
        rounds = [
            asyncio.create_task(again_and_again(_LOOK_EVERY_S, "sending webhooks", self._look, self._woken)),
            asyncio.create_task(
                again_and_again(_NOW_AND_THEN_S, "telling owners of webhooks", self._tell_owners, self._to_tell)
            ),
        ]
        try:
            yield
        finally:
            for task in rounds:
                task.cancel()
            await asyncio.gather(*rounds, return_exceptions=True)
            if self._running:
                _, late = await asyncio.wait(self._running, timeout=2 * PATIENCE_S)
                for task in late:
                    task.cancel()

    def wake(self) -> None:
        """Look at once: somebody waits for what they have just put down."""
        self._woken.set()
        self._to_tell.set()

    async def _look(self) -> None:
        """Send what is due; while the store is away, look and log less often."""
        try:
            await self._send_due()
        except StoreFault:
            await asyncio.sleep(_NOW_AND_THEN_S)
            raise

    async def _send_due(self) -> None:
        while self._shares.room:
            most = await self._wanted()
            if not most:
                return
            claim = Claim(secrets.record_id(self._now()), most)
            claimed = await self._database.transact(claim_deliveries, claim, self._now())
            if not claimed:
                return  # another node was first
            for each in claimed:
                self._shares.begin(_due(each))
                task = asyncio.create_task(self._run(each))
                self._running.add(task)
                task.add_done_callback(self._running.discard)

    async def _wanted(self) -> dict[str, int]:
        """Return how many deliveries to take of which webhook, in turns, so that each gets its share of the room."""
        busy = webhooks.Busy(self._shares.busy_webhooks, self._shares.busy_teams)
        for after in dict.fromkeys((self._shares.last, "")):
            found = await webhooks.with_due(self._database, self._now(), after, busy, self._shares.room)
            if found:
                return self._shares.share_out(found)
        return {}

    async def _run(self, claimed: ClaimedDelivery) -> None:
        """Send one delivery; whatever goes wrong on our side leaves it claimed, to be taken again."""
        delivery = claimed.delivery
        try:
            await self._send(claimed)
        except StoreFault as fault:
            _LOG.warning(
                "delivery not noted", delivery=delivery.delivery_id, fault=type(fault).__name__, why=str(fault)
            )
        except InvalidTag:
            _LOG.error("webhook's secret was sealed under another KEYBEARER_WEBHOOK_KEY", webhook=delivery.webhook_id)
        except Exception:  # noqa: BLE001 - the last stop of a task of its own
            _LOG.exception("delivery failed", delivery=delivery.delivery_id)
        finally:
            self._shares.end(_due(claimed))
            self._woken.set()

    async def _send(self, claimed: ClaimedDelivery) -> None:
        delivery, sent_at = claimed.delivery, self._now()
        body = delivery.body.encode()
        attempt = Attempt(delivery.delivery_id, delivery.attempts + 1, sent_at)
        headers = signed_headers(attempt, body, self._secrets(claimed, sent_at))
        headers |= {"content-type": "application/json", "user-agent": "Keybearer-Webhooks"}
        answer = await self._outgoing.egress.post(claimed.team_id, claimed.url, body, headers)
        self.attempts["taken" if is_taken(answer.status) else "failed"] += 1
        is_noted = await self._database.transact(settle_delivery, delivery, answer, self._now())
        _LOG.info(
            "webhook sent" if is_noted else "webhook sent, and another node has taken it over",
            webhook=delivery.webhook_id,
            delivery=delivery.delivery_id,
            attempt=attempt.number,
            answered=answer.status,
            trouble=answer.trouble,
        )

    def _secrets(self, claimed: ClaimedDelivery, now: int) -> list[str]:
        """Return the secrets that sign at *now*, the newest first."""
        held = claimed.secrets
        sealed = [held.current]
        if held.previous is not None and now < (held.previous_ends_at or 0):
            sealed.append(held.previous)
        return [unseal_secret(each, self._outgoing.key, claimed.delivery.webhook_id) for each in sealed]

    async def _tell_owners(self) -> None:
        """Mail the owners of webhooks that were switched off; if no mail can be sent, try again in a minute."""
        for webhook in await webhooks.to_tell(self._database, self._now(), _TELL_AT_ONCE):
            now = self._now()
            until = now + CLAIM_LASTS
            if await self._database.transact(webhooks.claim_telling, webhook.webhook_id, now, until):
                await self._tell(webhook, until)

    async def _tell(self, webhook: Webhook, until: int) -> None:
        """Mail each owner; one whom no mail reaches must not have all others mailed again every minute."""
        owners = await webhooks.owners_addresses(self._database, webhook.team_id)
        reached = [address for address in owners if await self._is_mailed(address, webhook)]
        if reached or not owners:
            await self._database.transact(webhooks.note_told, webhook.webhook_id, until)

    async def _is_mailed(self, address: str, webhook: Webhook) -> bool:
        try:
            await self._outgoing.mailer.send(self._outgoing.letters.webhook_is_off(address, webhook))
        except Refusal as refusal:
            _LOG.warning("owner not told", webhook=webhook.webhook_id, detail=refusal.detail)
            return False
        return True


def _due(claimed: ClaimedDelivery) -> DueWebhook:
    return DueWebhook(claimed.delivery.webhook_id, claimed.team_id)
