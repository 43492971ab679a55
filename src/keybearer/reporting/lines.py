"""The lines of a spool: what is written before a call's handler runs, and what after it, each chained to the last."""

import json
from collections.abc import Callable
from hashlib import sha256
from json.encoder import encode_basestring_ascii
from typing import Any, Final, NamedTuple, TypeVar, cast

_LINK: Final = 16  # hexadecimal digits
_READ: Final = json.JSONDecoder().decode
_PLAIN: Final = frozenset({str, int, type(None)})
_START: Final = b"0" * _LINK

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
    user: str
    team: int
    environment: str
    client: str | None
    grant: str
    token: str
    token_last4: str
    method: str | None
    route: str | None
    request_id: str | None
    address: str | None
    agent: str | None
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
Said = TypeVar("Said", Intent, Outcome)


class Broken(Exception):
    """A line is not what was written: it does not follow the one before it."""


class Chain:
    """
    Writes lines, and reads them back; each carries a digest of itself and of all before it in its file.

    So a line that was altered, lost or moved is noticed; one that was cut off by a crash is the last.
    """

    def __init__(self) -> None:
        self._last = _START

    def written(self, line: Line) -> bytes:
        """Return what the next line of the file would be; it is the next one once `follow` was told."""
        text = _text(line).encode()
        return b"%b %b\n" % (_link(self._last, text), text)

    def follow(self, written: bytes) -> None:
        """Have the next line follow *written*, which `written` made."""
        self._last = written[:_LINK]

    def read(self, written: bytes) -> Line:
        """
        Return what the next line of the file says.

        Raises:
            Broken: it is not the next line.
        """
        try:
            link, _, text = written.rstrip(b"\n").partition(b" ")
            if link != _link(self._last, text):
                raise Broken("a line does not follow the one before it")
            letter, *values = _READ(text.decode())
            line = _KINDS[letter](*values)
        except (ValueError, KeyError, TypeError) as error:
            raise Broken("a line cannot be read") from error
        self._last = link
        return line


def as_read(line: Said) -> Said:
    """Return what a line says when it is read back; a framework may have kinds of text and number of its own in it."""
    if _PLAIN.issuperset(map(type, line)):
        return line
    letter, *values = _READ(_text(line))
    return cast("Said", _KINDS[letter](*values))


def _link(last: bytes, text: bytes) -> bytes:
    return sha256(last + text).hexdigest()[:_LINK].encode()


def _text(line: Line) -> str:
    """Return a line as JSON; by hand, for the library's encoder takes three times as long."""
    values: tuple[_Value, ...] = line.intent + line.outcome if isinstance(line, Whole) else line
    written = [
        encode_basestring_ascii(value)
        if isinstance(value, str)
        else "null"
        if value is None
        else int.__repr__(value)  # whatever kind of whole number a framework has
        for value in values
    ]
    return f'["{_LETTERS[type(line)]}",{",".join(written)}]'


def _whole(*values: Any) -> Whole:
    intent, outcome = values[: len(Intent._fields)], values[len(Intent._fields) :]
    return Whole(Intent(*intent), Outcome(*outcome))


_KINDS: Final[dict[str, Callable[..., Line]]] = {"h": Header, "i": Intent, "o": Outcome, "w": _whole}
_LETTERS: Final[dict[type[Line], str]] = {Header: "h", Intent: "i", Outcome: "o", Whole: "w"}
