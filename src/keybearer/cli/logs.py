"""The log: JSON lines for machines, readable lines on a terminal, no token's text in either."""

import logging
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import msgspec
import structlog
from structlog.typing import EventDict, Processor

from keybearer.wire.token_text import LOOKS_LIKE_ONE

# The last line of defence: whatever a library writes, what looks like a token loses all but its last four characters.
_TOKEN: Final = re.compile(LOOKS_LIKE_ONE.encode())

_STAMP: Final = structlog.processors.TimeStamper(fmt="iso", utc=True)
_LEVEL: Final = logging.INFO
_ENCODE: Final = msgspec.json.Encoder(enc_hook=repr).encode


def log_to_stderr(*, in_colours: bool = False) -> None:
    """Write the log to stderr: for people if it is a terminal, perhaps *in_colours*; else one JSON object a line."""
    _configure(LogFile(sys.stderr.buffer), for_people=sys.stderr.isatty(), in_colours=in_colours)


def log_to_file(path: Path) -> None:
    """Write the log to the end of a file, one JSON object a line."""
    _configure(LogFile(path.open("ab")), for_people=False)


def mask_tokens(line: bytes) -> bytes:
    """Take the secret part out of everything in *line* that looks like a token's text."""
    return _TOKEN.sub(rb"\1...\2", line) if b"_live_" in line or b"_test_" in line else line


class LogFile:
    """
    Where the log goes; a line that it does not take is lost, and nothing else.

    Its disk may be full, or whoever read it may have gone: no request is to fail because of that.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, line: bytes) -> None:
        """Write a line, if that can be done."""
        with suppress(OSError):
            self._file.write(line)

    def flush(self) -> None:
        """Have what was written leave this process, if that can be done."""
        with suppress(OSError):
            self._file.flush()


def _configure(file: LogFile, *, for_people: bool, in_colours: bool = False) -> None:
    processors: list[Processor] = [structlog.processors.add_log_level, _STAMP]
    if for_people:
        last: Processor = structlog.dev.ConsoleRenderer(
            colors=in_colours, exception_formatter=structlog.dev.plain_traceback
        )
    else:
        processors.append(structlog.processors.format_exc_info)
        last = structlog.processors.JSONRenderer(serializer=_as_json)
    structlog.configure(
        processors=[*processors, last, _masked],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVEL) if for_people else _JsonLines,
        logger_factory=structlog.BytesLoggerFactory(cast("BinaryIO", file)),  # of which it uses these two
        cache_logger_on_first_use=True,
    )
    _take_over_standard_logging(file, [*processors, structlog.stdlib.ProcessorFormatter.remove_processors_meta, last])


def _take_over_standard_logging(file: LogFile, processors: list[Processor]) -> None:
    """Let what libraries log by the standard module come out in the same shape."""
    handler = logging.StreamHandler(_MaskingStream(file))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=processors, foreign_pre_chain=[structlog.stdlib.add_logger_name, _drop_colours]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVEL)
    logging.captureWarnings(capture=True)


class _MaskingStream:
    """A text stream for the standard module, masked like the rest."""

    def __init__(self, file: LogFile) -> None:
        self._file = file

    def write(self, text: str) -> None:
        self._file.write(mask_tokens(text.encode("utf-8", "backslashreplace")))

    def flush(self) -> None:
        self._file.flush()


def _drop_colours(_: Any, __: str, event: EventDict) -> EventDict:
    """Leave uvicorn's coloured copy of its message out."""
    event.pop("color_message", None)
    return event


def _masked(_: Any, __: str, line: Any) -> bytes:
    return mask_tokens(line if isinstance(line, bytes) else line.encode("utf-8", "backslashreplace"))


class _JsonLines(structlog.make_filtering_bound_logger(_LEVEL)):  # type: ignore[misc]  # made, so mypy cannot look in
    """Does in one go what the chain of processors does: every request waits for its line."""

    def _proxy_to_logger(self, method_name: str, event: str | None = None, **said: Any) -> None:
        line = _STAMP(self._logger, method_name, {**said, "event": event, "level": method_name})
        if "exc_info" in line:
            line = structlog.processors.format_exc_info(self._logger, method_name, line)
        self._logger.msg(mask_tokens(_ENCODE(line)))


def _as_json(event: EventDict, default: Callable[[Any], Any]) -> str:
    return msgspec.json.encode(event, enc_hook=default).decode()
