"""An API that reports calls by hand, line by line, as the SDK's reporter does."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2

from keybearer.server.records import HeldToken
from keybearer.server.secrets import digest
from keybearer.server.store import tokens
from keybearer.wire.activity import Details, Entry, entry_bytes, seal
from tests.support.api import Stage, set_stage
from tests.support.house import House
from tests.support.verifiers import Asking, asking

REPORT = "/verifier/activity"
NDJSON = {"content-type": "application/x-ndjson"}


@dataclass(slots=True)
class Reporting:
    """One life of a reporting process, and the token whose calls it reports unless told otherwise."""

    verifier: Asking
    token: HeldToken
    boot: str = "boot-1"
    personal: dict[str, str] = field(default_factory=lambda: {"address": "203.0.113.9", "agent": "curl/8"})

    @property
    def house(self) -> House:
        """Where it reports to."""
        return self.verifier.house

    def line(self, n: int | None, *, sealing: dict[str, str] | None = None, **other: Any) -> bytes:
        """Return the line of call number *n*, or of one that is not counted; *other* replaces what its entry says."""
        values = {"user": str(self.token.user_id), **self.personal, **(sealing or {})}
        sealed, details = seal(values, secrets.token_bytes)
        said: dict[str, Any] = {
            "at": self.house.node.now(),
            "action": "api.called",
            "outcome": "done",
            "reporter": self.verifier.resource_server_id if n else None,
            "boot": self.boot if n else None,
            "n": n,
            "team": self.token.team_id,
            "environment": self.token.environment,
            "client": self.token.client_id,
            "grant": self.token.grant_id,
            "token": self.token.token_id,
            "token_last4": self.token.last4,
            "method": "GET",
            "route": "/invoices/{invoice_id}",
            "status": 200,
            "ms": 10,
            "request_id": f"request-{n}",
            "sealed": sealed,
        }
        return line_of(entry_bytes(Entry(**said | other)).decode(), details)

    def lines(self, *numbers: int) -> list[bytes]:
        """Return the lines of several calls."""
        return [self.line(n) for n in numbers]

    async def send(self, lines: Sequence[bytes]) -> httpx2.Response:
        """Report them in one batch."""
        return await self.verifier.program.post(REPORT, content=b"\n".join(lines) + b"\n", headers=NDJSON)

    async def report(self, lines: Sequence[bytes]) -> dict[str, Any]:
        """Report them in one batch, which must be answered, and return what is said of it."""
        answer = await self.send(lines)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        assert told.pop("reporter"), "it says whose key this is"
        return told


def line_of(entry: str, details: Details) -> bytes:
    """Return a line as it is sent."""
    return json.dumps({"entry": entry, "details": details}).encode()


async def reporting(stage: Stage, environment: str = "sandbox") -> Reporting:
    """Have an API report calls that Ada makes in Acme, which is in the sandbox, with a token of her own."""
    text = await stage.scene.personal_token(stage.ada, stage.acme)
    token = await stage.house.node.view(tokens.held, digest(text))
    assert token is not None
    return Reporting(await asking(stage.house, environment), token)


async def reporting_in(house: House) -> Reporting:
    """Set the stage and have an API report on it."""
    return await reporting(await set_stage(house))
