"""A resource server with its key, and what its verifiers ask a node over HTTP."""

from dataclasses import dataclass, field
from typing import Any

import httpx2
from sqlalchemy import insert, update

from keybearer.server import issuing, secrets
from keybearer.server.store.database import Transaction
from keybearer.server.store.tables import resource_servers
from keybearer.verify.lease import Heard, Lease
from keybearer.verify.mirror import Mirror
from keybearer.wire.messages import sync_answer_from_json, sync_question_as_json
from tests.support.house import House


@dataclass(slots=True)
class Asking:
    """A verifier process that asks by hand: one lease, one mirror, one key."""

    house: House
    resource_server_id: str
    key: str
    program: httpx2.AsyncClient
    instance: str = "instance-0001"
    lease: Lease = field(default_factory=lambda: Lease(Mirror()))
    asked: int = 0

    async def post(self, path: str, body: Any) -> httpx2.Response:
        """Knock with this key."""
        return await self.program.post(path, json=body)

    def question(self, wait: float = 0) -> dict[str, Any]:
        """Begin a question and return its body."""
        self.asked += 1
        asked = sync_question_as_json(self.lease.ask(f"nonce-{self.asked}", 0.0))
        return {**asked, "instance": self.instance, "wait": wait}

    async def sync(self, wait: float = 0) -> Heard:
        """Ask what has happened, and take the answer in."""
        answer = await self.post("/verifier/sync", self.question(wait))
        assert answer.status_code == 200, answer.text
        return self.lease.hear(sync_answer_from_json(answer.json()))

    async def fetch(self, text: str) -> dict[str, Any]:
        """Ask who acts with the token of this text."""
        body = {"nonce": "a nonce", "instance": self.instance, "digest": secrets.digest(text).hex()}
        answer = await self.post("/verifier/fetch", body)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        assert told["nonce"] == "a nonce"
        return told

    async def revoke_key(self) -> None:
        """Take the key's force away."""
        await self.house.node.act(_revoke, self.resource_server_id, self.house.node.now())


async def asking(house: House, environment: str = "sandbox", name: str = "Ledger API") -> Asking:
    """Add a resource server, and return a verifier of it."""
    key = issuing.Mint(house.settings.token_prefix, environment).text("rsk")
    now = house.node.now()
    resource_server_id = secrets.record_id(now)
    values: dict[str, object] = {
        "resource_server_id": resource_server_id,
        "name": name,
        "name_key": f"{name} {environment}".casefold(),
        "environment": environment,
        "digest": secrets.digest(key),
        "last4": key[-4:],
        "created_at": now,
    }
    await house.node.act(_add, values)
    return Asking(house, resource_server_id, key, house.api(key))


async def _add(tx: Transaction, values: dict[str, Any]) -> None:
    await tx.run(insert(resource_servers).values(**values))


async def _revoke(tx: Transaction, resource_server_id: str, now: int) -> None:
    its = resource_servers.c.resource_server_id == resource_server_id
    await tx.run(update(resource_servers).where(its).values(revoked_at=now))
