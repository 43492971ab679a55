"""`Verifier.verify` on tokens that it knows, beside a bare SHA-256 of the token and PyJWT; and what a token takes."""

import gc
import hashlib
import random
import subprocess
import sys
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from bench.measures import Candidate, Comparison, Figure, Pace
from bench.mirrors import filled
from bench.servers import ROOT
from keybearer import Verifier

KNOWN_GOAL: Final = 2.5
RANDOM_GOAL: Final = 6.0
PEER_GOAL: Final = 75.0
BYTES_GOAL: Final = 600
_DRAWN: Final = 20_000
_BATCH: Final = 50

Batch = Callable[[list[str]], Awaitable[None]]


async def measure(pace: Pace) -> Figure:
    """Fill a mirror, and verify in turns with whom it is compared."""
    rooms = tuple(_room(pace.weighed_tokens, per_user) for per_user in (1, 3))
    few, [text] = filled(1, 1)
    many, texts = filled(pace.mirrored_tokens, 1)
    drawn = random.Random(7).choices(texts, k=_DRAWN)  # noqa: S311 - a load, not a secret
    key = rsa.generate_private_key(65_537, 2_048)
    signed = jwt.encode({"sub": "10000", "scope": "team:read"}, key, "RS256")
    bare, known = Candidate("bare SHA-256 of the token"), Candidate("verify, one known token")
    at_random = Candidate(f"verify, {pace.mirrored_tokens:,} tokens drawn at random")
    peer = Candidate("PyJWT, RS256")
    turns = (
        (bare, _digest, [text]),
        (known, _verifying(few), [text]),
        (at_random, _verifying(many), drawn),
        (peer, _decoding(key.public_key()), [signed]),
    )
    gc.collect()
    gc.freeze()
    for _ in range(pace.rounds):
        for candidate, batch, asked in turns:
            candidate.rates.append(await _rate(batch, asked, pace.round_s / 3))
    gc.unfreeze()
    costs = (Comparison(known, bare, KNOWN_GOAL, is_cost=True), Comparison(at_random, bare, RANDOM_GOAL, is_cost=True))
    return Figure("Verification", (bare, known, at_random, peer), (*costs, Comparison(known, peer, PEER_GOAL)), rooms)


async def _rate(batch: Batch, texts: list[str], seconds: float) -> float:
    """Return tokens per second; of many *texts* each is taken in turn, of one always that one."""
    texts = texts if len(texts) > 1 else texts * _BATCH
    batches = [texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH)]
    done, began = 0, perf_counter()
    while (lasted := perf_counter() - began) < seconds:
        asked = batches[done % len(batches)]
        await batch(asked)
        done += 1
    return done * _BATCH / lasted


async def _digest(texts: list[str]) -> None:
    sha256 = hashlib.sha256
    for text in texts:
        sha256(text.encode()).digest()


def _verifying(verifier: Verifier) -> Batch:
    async def batch(texts: list[str]) -> None:
        verify = verifier.verify
        for text in texts:
            await verify(text)

    return batch


def _decoding(key: rsa.RSAPublicKey) -> Batch:
    async def batch(texts: list[str]) -> None:
        for text in texts:
            jwt.decode(text, key, algorithms=["RS256"])

    return batch


def _room(count: int, per_user: int) -> str:
    """Weigh a mirror in a process of its own."""
    command = [sys.executable, "-m", "bench.mirrors", str(count), str(per_user)]
    taken = int(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    return f"{taken} bytes a mirrored token, {per_user} for each user (at most {BYTES_GOAL})"
