"""L4: the Standard Webhooks libraries take what Keybearer sends, and nothing that was altered, or kept for later."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from keybearer.server import clock as real_clock
from tests.support.clock import HandClock
from tests.support.receiver import Heard
from tests.support.webhook_desk import HookDesk

NPM: Final = Path(__file__).parent / "clients" / "standardwebhooks.mjs"
TIMEOUT_S: Final = 30

Verify = Callable[[Heard, str], Awaitable[bool]]


@pytest.fixture
def clock() -> HandClock:
    """Stand still at the present: the libraries refuse what is older, or newer, than five minutes."""
    return HandClock(real_clock.now())


async def by_pypi(heard: Heard, secret: str) -> bool:
    """Ask the Python library."""
    try:
        return bool(Webhook(secret).verify(heard.body, heard.headers)["trigger"]["alias"])
    except WebhookVerificationError:
        return False


async def by_npm(heard: Heard, secret: str) -> bool:
    """Ask the JavaScript library."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("node", NPM, stdin=pipe, stdout=pipe)
    asked = json.dumps({"secret": secret, "headers": heard.headers, "body": heard.body.decode()})
    async with asyncio.timeout(TIMEOUT_S):
        told, _ = await process.communicate(asked.encode())
    assert told.decode().strip() in {"taken", "refused"}
    return told.decode().strip() == "taken"


def with_headers(heard: Heard, **headers: str) -> Heard:
    return replace(heard, headers=heard.headers | {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("verify", [pytest.param(by_pypi, id="PyPI"), pytest.param(by_npm, id="npm")])
async def test_the_library_takes_what_is_sent_and_nothing_else(desk: HookDesk, verify: Verify) -> None:
    hook = await desk.add(["token.created"])
    new = (await desk.press(hook, "Rotate secret", overlap="1h")).shown["webhook-secret"]
    await desk.ada.make_token("Nightly import")
    await desk.all_sent()
    desk.clock.advance(minutes=-6)
    await desk.ada.make_token("Kept for later")
    await desk.all_sent()
    heard, old = desk.receiver.heard
    assert await verify(heard, hook.secret)
    assert await verify(heard, new)
    signature = heard.headers["webhook-signature"]
    refused = {
        "another secret": (heard, "whsec_" + "A" * 44),
        "another body": (replace(heard, body=heard.body.replace(b"sandbox", b"live")), new),
        "another id": (with_headers(heard, webhook_id=old.headers["webhook-id"]), new),
        "another time": (with_headers(heard, webhook_timestamp=str(int(heard.headers["webhook-timestamp"]) + 1)), new),
        "another's signature": (with_headers(heard, webhook_signature=old.headers["webhook-signature"]), new),
        "no signature": (with_headers(heard, webhook_signature=""), new),
        "six minutes old": (old, new),
    }
    assert await verify(with_headers(heard, webhook_signature=f"v1a,AAAA {signature}"), new)
    for why, (sent, secret) in refused.items():
        assert not await verify(sent, secret), why
