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
    bare, wrapped = Candidate("application without it"), Candidate("application with the middleware")
    turns = ((bare, _application), (wrapped, KeybearerMiddleware(_application, verifier)))
    for _ in range(pace.rounds):
        for candidate, application in turns:
            candidate.rates.append(await _rate(application, headers, pace.round_s / 3))
    cost_us = (1 / wrapped.rate - 1 / bare.rate) * 1e6
    comparison = Comparison(wrapped, bare, is_cost=True)
    return Figure("ASGI middleware", (bare, wrapped), (comparison,), (f"it adds {cost_us:.1f} µs to a request",))


async def _rate(application: Application, headers: list[tuple[bytes, bytes]], seconds: float) -> float:
    done, began = 0, perf_counter()
    while (lasted := perf_counter() - began) < seconds:
        for _ in range(_BATCH):
            await application({"type": "http", "path": "/people", "headers": headers}, _receive, _send)
        done += _BATCH
    return done / lasted


async def _application(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    del scope, receive
    await send(_START)
    await send(_BODY)


async def _receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(message: Message) -> None:
    del message
