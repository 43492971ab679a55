"""A node for tests of verifiers: the shipped rules of the feed over real HTTP, a store in memory, faults at a word."""

import asyncio
import json
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import uvicorn

from keybearer.server.rules.sync_answer import FeedView, sync_answer
from keybearer.server.secrets import digest
from keybearer.wire.feed import NO_HASH, Event, Fetched, Position, chain_hash
from keybearer.wire.messages import fetched_as_json, sync_answer_as_json, sync_question_from_json
from keybearer.wire.packing import packed_place, packed_token
from keybearer.wire.principal import Principal
from keybearer.wire.quota import Grant, Terms, grants_as_json, wants_from_json
from keybearer.wire.token_text import compose

KEY: Final = compose("kb", "rsk", "live", "k" * 32)
READ: Final = "people:read"
WRITE: Final = "people:write"


@dataclass
class FakeNode:
    """
    What it holds and how it behaves; a test changes both at will.

    Args:
        fault: ``silent`` (takes questions and says nothing), ``broken`` (500), ``garbled`` (no JSON), ``replaying``
            (says again what it said before), ``no key`` (401), ``old`` (has never heard of counting).
        calls: how many more it grants.
        lease_s: what it tells verifiers.
        spoil: makes of an answer to sync what is sent instead.
    """

    url: str = ""
    fault: str | None = None
    fetch_fault: str | None = None
    spoil: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    delay_s: float = 0.0
    calls: int = 1_000_000
    lease_s: float = 8.0
    interval_s: float = 1.0
    epoch: str = "e1"
    log: list[Event] = field(default_factory=list)
    tokens: dict[bytes, Fetched] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    loop: asyncio.AbstractEventLoop | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)
    last_said: bytes = b"{}"

    def issue(self, user_id: int = 1, permissions: tuple[str, ...] = (READ,), kind: str = "pat") -> str:
        """Make a token; return its text."""
        text = compose("kb", kind, "live", secrets.token_hex(16))
        place = packed_place(7, 70 + user_id, "live", "owner", ("Ada Lovelace", "ada@example.com"))
        ids = (f"t-{text[-8:]}", f"g-{text[-8:]}", text[-4:])
        token = packed_token(kind, 2_000_000_000_000_000, is_narrowed=False, ids=ids)
        principal = Principal(user_id, place, frozenset(permissions), None, token)
        self.tokens[digest(text)] = Fetched(principal, self.epoch, 0, None, 3_600.0)
        return text

    def revoke(self, text: str) -> None:
        """End a token and say so."""
        principal = self.tokens.pop(digest(text)).principal
        self.say("token.ended", f"token:{principal.token_id}:{principal.grant_id}:{principal.user_id}:7")

    def say(self, kind: str, subject: str) -> None:
        """Append an event to the feed."""
        head = self.head
        seq, at = head.seq + 1, 1_000_000 + head.seq
        self.log.append(Event(seq, kind, subject, at, chain_hash(head.hash, seq, kind, subject, at)))
        assert self.loop is not None
        self.loop.call_soon_threadsafe(self.news.set)

    @property
    def head(self) -> Position:
        """Where the feed stands."""
        newest = self.log[-1] if self.log else None
        return Position(self.epoch, newest.seq, newest.hash) if newest else Position(self.epoch, 0, NO_HASH)

    def count(self, path: str) -> int:
        """Return how many questions of this kind there were."""
        return self.asked.count(path)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer a request."""
        body = json.loads(await _body(receive))
        self.asked.append(scope["path"])
        is_fetch = scope["path"] == "/verifier/fetch"
        self.at_once += is_fetch
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.delay_s)
            fault = self.fault or (self.fetch_fault if is_fetch else None)
            if fault == "silent":
                await receive()  # until the other side goes away
                return
            if scope["path"] == "/verifier/count":
                answer = self._count(body)
            else:
                answer = self._fetch(body) if is_fetch else await self._sync(body)
            status, text = {"broken": (500, b"{}"), "no key": (401, b"{}"), "garbled": (200, b"<html>")}.get(
                fault or "", (200, json.dumps(answer).encode())
            )
            if fault == "old" and scope["path"] == "/verifier/count":
                status = 404
            if fault == "replaying":
                text = self.last_said
            self.last_said = text
        finally:
            self.at_once -= is_fetch
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(text)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": text})

    async def _sync(self, body: dict[str, Any]) -> dict[str, Any]:
        question = sync_question_from_json(body)
        if question.position == self.head and body["wait"]:
            self.news.clear()
            try:
                async with asyncio.timeout(body["wait"]):
                    await self.news.wait()
            except TimeoutError:
                pass
        seq, log = question.position.seq, self.log
        there = log[seq - 1].hash if 0 < seq <= len(log) else None
        answer = sync_answer(question, FeedView(self.head, 1, there, tuple(log[seq : seq + 3])), 0.0)
        said = {**sync_answer_as_json(answer), "lease": self.lease_s, "interval": self.interval_s}
        return self.spoil(said) if self.spoil else said

    def _count(self, body: dict[str, Any]) -> dict[str, Any]:
        grants = []
        for want in wants_from_json(body["wants"]):
            calls = min(want.calls, self.calls)
            self.calls -= calls
            grants.append(Grant(want.user_id, want.team_id, calls, self.calls, 0.0 if calls else 30.0))
        return {"nonce": body["nonce"], **grants_as_json(Terms(200, 60.0, 60.0), grants)}

    def _fetch(self, body: dict[str, Any]) -> dict[str, Any]:
        held = self.tokens.get(bytes.fromhex(body["digest"]))
        if held is None:
            return {"nonce": body["nonce"], "fetched": None, "denied": "unknown"}
        now = Fetched(held.principal, self.epoch, self.head.seq, held.family_id, held.remaining_s)
        return {"nonce": body["nonce"], "fetched": fetched_as_json(now), "denied": None}


@contextmanager
def running_node(**about: Any) -> Iterator[FakeNode]:
    """Run a node in a thread of its own while the block lasts."""
    node = FakeNode(**about)
    listener = socket.create_server(("127.0.0.1", 0))
    node.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        node, lifespan="off", log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    server.force_exit = False
    started = threading.Event()

    async def serve() -> None:
        node.loop = asyncio.get_running_loop()
        started.set()
        await server.serve(sockets=[listener])

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    started.wait(60)
    try:
        yield node
    finally:
        node.fault = "broken"
        server.should_exit = server.force_exit = True
        thread.join(60)
        listener.close()


async def _body(receive: Any) -> bytes:
    whole = bytearray()
    while True:
        message: dict[str, Any] = await receive()
        whole += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(whole)
