"""What the SDK's ASGI middleware costs each request: the same application with it and without it, called directly."""

from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from typing import Any, Final

from bench.measures import Candidate, Comparison, Figure, Pace
from bench.mirrors import filled
from keybearer.asgi import KeybearerMiddleware

Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]

_BATCH: Final = 100
_START: Final = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}
_BODY: Final = {"type": "http.response.body", "body": b""}


async def measure(pace: Pace) -> Figure:
    """Call both in turns."""
    verifier, [text] = filled(1, 1)
    headers = [(b"host", b"api"), (b"accept", b"*/*"), (b"authorization", f"Bearer {text}".encode())]
    call = {"type": "http", "path": "/people", "headers": headers}
    bare, wrapped = Candidate("application without it"), Candidate("application with the middleware")
    turns = ((bare, application), (wrapped, KeybearerMiddleware(application, verifier)))
    for _ in range(pace.rounds):
        for candidate, called in turns:
            candidate.rates.append(await rate(called, call, pace.round_s / 3))
    cost_us = (1 / wrapped.rate - 1 / bare.rate) * 1e6
    comparison = Comparison(wrapped, bare, is_cost=True)
    return Figure("ASGI middleware", (bare, wrapped), (comparison,), (f"it adds {cost_us:.1f} µs to a request",))


async def rate(called: Application, call: Message, seconds: float) -> float:
    """Make the same call again and again, and return how often a second."""
    done, began = 0, perf_counter()
    while (lasted := perf_counter() - began) < seconds:
        for _ in range(_BATCH):
            await called({**call}, receive, send)
        done += _BATCH
    return done / lasted


async def application(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Answer every call with an empty body."""
    del scope, receive
    await send(_START)
    await send(_BODY)


async def receive() -> Message:
    """Give a body without anything in it."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(message: Message) -> None:
    """Take an answer, which must be the application's."""
    assert message.get("status", 200) == 200, message
