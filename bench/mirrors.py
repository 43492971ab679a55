"""A verifier with a full mirror, filled without the questions; `python -m bench.mirrors COUNT PER_USER` weighs one."""

import gc
import hashlib
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from resource import getpagesize
from typing import Any, Final

from keybearer import Verifier
from keybearer.wire.feed import NO_HASH, Position, SyncAnswer
from keybearer.wire.messages import fetched_from_json
from keybearer.wire.token_text import compose

_EPOCH: Final = "bench"
_MONTH_S: Final = 2_592_000.0
_HOUR_S: Final = 3_600.0


def filled(count: int, tokens_per_user: int) -> tuple[Verifier, list[str]]:
    """Return a verifier that knows *count* tokens, and their texts."""
    verifier = Verifier("http://127.0.0.1:1", key=compose("kb", "rsk", "live", "k" * 32), most_tokens=count)
    lease = verifier._lease  # noqa: SLF001 - a million questions would take an hour
    lease.lease_s = _HOUR_S
    verifier._granted.count_nothing(math.inf)  # noqa: SLF001 - nobody is there to grant calls
    lease.ask("a nonce", verifier.now())
    lease.hear(SyncAnswer("a nonce", Position(_EPOCH, 1, NO_HASH), (), is_reset=True, age_s=0.0))
    texts = []
    for text, told in _tokens(count, tokens_per_user):
        digest = hashlib.sha256(text.encode()).digest()
        lease.fetched(digest, fetched_from_json(told), verifier.now(), verifier.now())
        texts.append(text)
    return verifier, texts


def _tokens(count: int, tokens_per_user: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Make texts, and what a node would tell of each: every part an object of its own, as JSON is read."""
    for number in range(count):
        user = number // tokens_per_user
        text = compose("kb", "pat", "live", f"{number:032d}")
        token = {
            "id": _uuid(number),
            "kind": "pat",
            "last4": text[-4:],
            "grant": _uuid(number + 1),
            "family": None,
            "client": None,
            "expires_at": 1_795_000_000_000_000 + number,
            "narrowed": False,
        }
        standing = {
            "user_id": 10_000 + user,
            "user_name": f"Ada Lovelace {user}",
            "user_email": f"ada.lovelace.{user}@example.com",
            "team_id": 5_000 + user,
            "membership_id": 20_000 + user,
            "role": "member",
            "environment": "live",
        }
        permissions = ["apps:read", "apps:write", "clients:read", "clients:write", "team:read"]
        about = {"epoch": _EPOCH, "as_of": 1, "remaining": _MONTH_S, "permissions": permissions}
        yield text, {**about, "token": token, "standing": standing}


def _uuid(number: int) -> str:
    return f"019ab000-{number >> 48:04x}-7000-8000-{number:012x}"


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * getpagesize()


def main(count: int, tokens_per_user: int) -> None:
    """Print how many bytes of this process's memory each token takes, its text aside."""
    filled(1, 1)
    gc.disable()
    before = _resident()
    verifier, texts = filled(count, tokens_per_user)
    taken = _resident() - before - sum(map(sys.getsizeof, texts)) - sys.getsizeof(texts)
    print(round(taken / count), flush=True)
    del verifier


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
