"""Reads an export in several processes, so that all cores of the machine verify it."""

import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from itertools import cycle, repeat
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import BinaryIO, Final, Self

from keybearer.audit.batches import Batch, batch_from
from keybearer.audit.lines import MAX_LINE_BYTES
from keybearer.audit.verification import BATCH

CHUNK_BYTES: Final = 1024 * 1024
_WORTH_ONE_BYTES: Final = 64 * 1024 * 1024  # what one core verifies in twice the time that a process takes to start

Part = tuple[Sequence[bytes], Batch | None]
"""Some lines that follow each other, and what they were read as; None where that is still to be found out."""


class ReaderLost(Exception):
    """A process that read a part of the export is gone, as when the machine is out of memory."""


class Readers:
    """
    Processes that read an export; they live as long as the block, and end with whoever started them.

    Args:
        count: how many; below two everything is read where it is judged, and no process is started.
    """

    def __init__(self, count: int) -> None:
        self.count = count if count > 1 else 0
        self._started: list[tuple[BaseProcess, Connection]] = []

    def __enter__(self) -> Self:
        with _not_interrupted():
            for _ in range(self.count):
                self._started.append(_start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process, pipe in self._started:
            pipe.close()
            process.terminate()
        for process, _ in self._started:
            process.join()

    def parts(self, file: BinaryIO) -> Iterator[tuple[int, Iterable[Part]]]:
        """
        Read a file chunk by chunk, in its order; at most one chunk for each process is held in memory.

        The chunks, and the parts of each, are the same however many processes there are.

        Yields:
            How many bytes a chunk has, and its parts.

        Raises:
            ReaderLost: one of the processes is gone.
        """
        chunks = _chunks_of(file)
        read = self._read(chunks) if self._started else zip(chunks, repeat(repeat(None)), strict=False)
        for chunk, batches in read:
            yield len(chunk), zip(_parts_of(chunk), batches, strict=False)

    def _read(self, chunks: Iterable[bytes]) -> Iterator[tuple[bytes, Sequence[Batch | None]]]:
        """Give each process a chunk in its turn, and the next one when it is done with that."""
        given: deque[tuple[bytes, Connection]] = deque()
        try:
            for chunk, (_, pipe) in zip(chunks, cycle(self._started), strict=False):
                done = None
                if len(given) == len(self._started):
                    done = given.popleft()[0], pipe.recv()
                pipe.send_bytes(chunk)
                given.append((chunk, pipe))
                if done:
                    yield done
            for chunk, pipe in given:
                yield chunk, pipe.recv()
        except (EOFError, OSError) as error:
            raise ReaderLost from error


def readers_for(size: int, most: int | None) -> Readers:
    """
    Return as many readers as an export is worth.

    Args:
        size: of the file, in bytes; 0 where that is not known, as of a pipe.
        most: how many processes there may be; None: one for each processor that this process may use.
    """
    return Readers(min(most or _usable_processors(), size // _WORTH_ONE_BYTES))


def _usable_processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _chunks_of(file: BinaryIO) -> Iterator[bytes]:
    """Take a file apart at ends of lines; where a line has no end, somewhere behind the most that it may have."""
    while chunk := file.read(CHUNK_BYTES):
        yield chunk if chunk.endswith(b"\n") else chunk + file.readline(MAX_LINE_BYTES + 1)


def _parts_of(chunk: bytes) -> list[list[bytes]]:
    lines = BytesIO(chunk).readlines()
    return [lines[start : start + BATCH] for start in range(0, len(lines), BATCH)]


def _start() -> tuple[BaseProcess, Connection]:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()  # so that each side hears of the other's end
    return process, ours


def _serve(pipe: Connection) -> None:
    """Read chunks as they come, until nobody is there any more."""
    try:
        while True:
            pipe.send([batch_from(lines) for lines in _parts_of(pipe.recv_bytes())])
    except (EOFError, OSError):
        return


@contextmanager
def _not_interrupted() -> Iterator[None]:
    """What is started in here is not interrupted by Ctrl-C from its first moment on: whoever started it ends it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
