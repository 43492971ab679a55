"""The keys of an entry, and which values each may have."""

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, Final

from keybearer.wire.token_text import ENVIRONMENTS

MAX_INTEGER: Final = 2**53 - 1  # RFC 8785 §3.1, by way of RFC 7493 §2.2
OUTCOMES: Final = ("done", "refused", "failed", "unknown")
LATENCIES_MS: Final = (1, 3, 10, 30, 100, 300, 1000, 3000, 10000)
SEALED: Final = ("address", "agent", "subject", "user", "words")
CANONICAL: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)

Judge = Callable[[Any], str]
"""Writes the value of one key as JSON, or raises `ValueError` for one that no entry can have."""

_remembered: Final = lru_cache(256)  # of one process most are the same again and again; refusals are not remembered

COMMITMENT: Final = "[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"  # 32 bytes in base64url, no bits left over at the end
is_32_bytes: Final = re.compile(COMMITMENT).fullmatch


def _one_of(name: str, *words: str) -> Judge:
    written = {word: f'"{word}"' for word in words}

    def judge(value: Any) -> str:
        found = written.get(value) if isinstance(value, str) else None
        if found is None:
            raise ValueError(f"the entry's {name} is not one of {', '.join(words)}")
        return found

    return judge


def _text(name: str, pattern: str, demand: str) -> Judge:
    is_good = re.compile(pattern).fullmatch

    def judge(value: Any) -> str:
        if not isinstance(value, str) or not is_good(value):
            raise ValueError(f"the entry's {name} is not {demand}")
        return encode_basestring(value)

    return judge


def _identifier(name: str) -> Judge:
    return _text(name, "[!-~]{1,64}", "1 to 64 characters of ASCII without spaces")


def _integer(name: str, lowest: int, highest: int = MAX_INTEGER) -> Judge:
    def judge(value: Any) -> str:
        if type(value) is not int or not lowest <= value <= highest:
            raise ValueError(f"the entry's {name} is not a whole number from {lowest} to {highest}")
        return str(value)

    return judge


def _latency(value: Any) -> str:
    if type(value) is not int or value not in LATENCIES_MS:
        raise ValueError(f"the entry's ms is not one of {', '.join(map(str, LATENCIES_MS))}")
    return str(value)


def _commitments(value: Any) -> str:
    if not isinstance(value, (dict, Mapping)) or not value:
        raise ValueError("the entry's sealed is not an object with something in it")
    parts = []
    for field in SEALED:
        if field in value:
            committed = value[field]
            if not isinstance(committed, str) or not is_32_bytes(committed):
                raise ValueError(f"the entry's sealed {field} is not base64url of 32 bytes")
            parts.append(f'"{field}":"{committed}"')
    if len(parts) < len(value):
        unknown = next(field for field in value if field not in SEALED)
        raise ValueError(f"the entry's sealed has an unknown field, {str(unknown)[:64]!r}")
    return f"{{{','.join(parts)}}}"


JUDGES: Final[dict[str, Judge]] = {  # in the order of the keys
    "action": _remembered(
        _text("action", r"(?=.{1,64}\Z)[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+", "noun.verb in at most 64 characters")
    ),
    "at": _integer("at", 1),
    "boot": _remembered(_identifier("boot")),
    "client": _remembered(_identifier("client")),
    "environment": _remembered(_one_of("environment", *ENVIRONMENTS)),
    "grant": _remembered(_identifier("grant")),
    "method": _remembered(
        _text("method", "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}", "a method of HTTP in at most 32 characters")
    ),
    "ms": _remembered(_latency),
    "n": _integer("n", 1),
    "outcome": _remembered(_one_of("outcome", *OUTCOMES)),
    "reason": _remembered(_text("reason", "[a-z][a-z0-9_]{0,63}", "a code in at most 64 characters")),
    "reporter": _remembered(_identifier("reporter")),
    "request_id": _text("request_id", "[ -~]{1,128}", "1 to 128 characters of ASCII"),
    "route": _remembered(
        _text("route", r"[^\x00-\x1f\x7f\ud800-\udfff]{1,512}", "1 to 512 characters without control characters")
    ),
    "sealed": _commitments,
    "status": _remembered(_integer("status", 100, 599)),
    "team": _remembered(_integer("team", 1)),
    "token": _remembered(_identifier("token")),
    "token_last4": _remembered(_text("token_last4", "[0-9A-Za-z]{4}", "four letters and digits")),
}
