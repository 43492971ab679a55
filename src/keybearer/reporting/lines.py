"""The lines of a spool: what is written before a call's handler runs, and what after it."""

import json
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from json.encoder import encode_basestring_ascii
from typing import Any, Final, NamedTuple, cast

from keybearer.reporting.callers import Caller

_LINK_BYTES: Final = 8
_READ: Final = json.JSONDecoder().decode
_PLAIN: Final = frozenset({str, int, type(None)})
START: Final = b"0" * 2 * _LINK_BYTES

_Value = str | int | None


# Lines are tuples with names: one is made in a fifth of the time of a frozen dataclass, and every call makes two.
class Header(NamedTuple):
    """
    The first line of a file.

    Args:
        boot: random text of one life of the process.
        first_n: the number of the first record that is finished in this file.
    """

    boot: str
    first_n: int


class Intent(NamedTuple):
    """
    A call that is about to be handled.

    Args:
        call: its number in the life of the process.
        at: microseconds since 1970 UTC.
        salts: base64, 32 bytes for each of user, address and agent that there is.
    """

    call: int
    at: int
    caller: Caller
    request_id: str | None
    salts: str


class Outcome(NamedTuple):
    """
    What became of a call.

    Args:
        call: the number of its intent.
        action: what the API says it did; None: it said nothing.
        words: what else it said, as `keybearer.wire.activity.words_text` writes it.
        salt: base64, 32 bytes, of *words* if there are any.
    """

    call: int
    outcome: str
    reason: str | None = None
    route: str | None = None
    status: int | None = None
    ms: int | None = None
    action: str | None = None
    words: str | None = None
    salt: str | None = None


class Whole(NamedTuple):
    """A call of which nothing was written before it was over."""

    intent: Intent
    outcome: Outcome


Line = Header | Intent | Outcome | Whole


class Broken(Exception):
    """A line is not what was written, or does not follow the one before it."""


def text_of(line: Line) -> bytes:
    """Return a line as JSON."""
    letter, values = _WRITERS[type(line)]
    return f'["{letter}",{values(line)}]'.encode()


def line_of(text: bytes) -> Line:
    """
    Return the line that `text_of` wrote.

    Raises:
        Broken: it has written nothing like it.
    """
    try:
        letter, *values = _READ(text.decode())
        return _KINDS[letter](*values)
    except (ValueError, KeyError, TypeError) as error:
        raise Broken("a line cannot be read") from error


def link_of(last: bytes, text: bytes) -> bytes:
    """
    Return what a line has before its text: a digest of that and of all lines before it in its file.

    So a line that was altered, lost or moved is noticed; one that was cut off by a crash is the last.

    Args:
        last: what the line before has; of the first, `START`.
    """
    return blake2b(last + text, digest_size=_LINK_BYTES).hexdigest().encode()


def as_read(outcome: Outcome) -> Outcome:
    """Return what a line says when it is read back; a framework may have kinds of text and number of its own in it."""
    if _PLAIN.issuperset(map(type, outcome)):
        return outcome
    return cast("Outcome", line_of(text_of(outcome)))


def _intent_values(line: Intent) -> str:
    call, at, caller, request_id, salts = line
    before, behind = _caller_values(caller)
    return f'{call},{at},{before},{_text(request_id)},{behind},"{salts}"'


@lru_cache(1024)
def _caller_values(caller: Caller) -> tuple[str, str]:
    """Return what stands before the request's id, and what stands behind it."""
    return _json(caller[:-2]), _json(caller[-2:])


def _outcome_values(line: Outcome) -> str:
    said = "null,null" if line.words is None else f"{_text(line.words)},{_text(line.salt)}"
    return f"{line.call},{_how(line[_HOW])},{said}"


def _whole_values(line: Whole) -> str:
    return f"{_intent_values(line.intent)},{_outcome_values(line.outcome)}"


@lru_cache(1024)
def _how(values: tuple[_Value, ...]) -> str:
    """Return what became of a call as JSON; it is remembered, for most calls have it in common with many others."""
    return _json(values)


def _json(values: tuple[_Value, ...]) -> str:
    # Numbers as int writes them, whatever kind of whole number a framework has.
    return ",".join([int.__repr__(value) if isinstance(value, int) else _text(value) for value in values])


def _text(value: str | None) -> str:
    return "null" if value is None else encode_basestring_ascii(value)


def _intent(*values: Any) -> Intent:
    call, at, *who, request_id, address, agent, salts = values
    return Intent(call, at, Caller(*cast("Any", (*who, address, agent))), request_id, salts)


def _whole(*values: Any) -> Whole:
    return Whole(_intent(*values[:_OF_INTENT]), Outcome(*values[_OF_INTENT:]))


_OF_INTENT: Final = len(Intent._fields) - 1 + len(Caller._fields)  # values in a line
_HOW: Final = slice(1, 7)  # of an outcome
_KINDS: Final[dict[str, Callable[..., Line]]] = {"h": Header, "i": _intent, "o": Outcome, "w": _whole}
_WRITERS: Final[dict[type[Line], tuple[str, Callable[[Any], str]]]] = {
    Header: ("h", _json),
    Intent: ("i", _intent_values),
    Outcome: ("o", _outcome_values),
    Whole: ("w", _whole_values),
}
