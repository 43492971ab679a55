"""Sends batches of records over HTTP to whichever node answers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

from keybearer.reporting.records import Record, line_of
from keybearer.reporting.shipping import Undelivered
from keybearer.sdk.nodes import Nodes
from keybearer.sdk.transport import Transport, Unanswered

PATH: Final = "/verifier/activity"
_TIMEOUT_S: Final = 10.0
_MOST_BYTES: Final = 1_000_000
_MOST_LINES: Final = 1_000  # of one request, for the node
_LINES_A_TURN: Final = 100  # made before the event loop may look after others


class Delivery:
    """Takes batches to the nodes of a server, in the name of the resource server whose key the transport has."""

    def __init__(self, nodes: Nodes, transport: Transport) -> None:
        self._nodes = nodes
        self._transport = transport
        self._reporter: str | None = None

    async def reporter(self) -> str:
        """
        Return whose records these are: the resource server's id.

        Raises:
            Undelivered: no node says.
        """
        if self._reporter is None:
            answer = await self._posted([])
            match answer:
                case {"reporter": str(reporter)}:
                    self._reporter = reporter
                case _:
                    raise Undelivered("a node does not say whose key this is")
        return self._reporter

    async def take(self, records: list[Record], reporter: str) -> list[tuple[Record, str]]:
        """
        Bring records to a node.

        Returns:
            Those that it will never keep, and why.

        Raises:
            Undelivered: it is not known what became of them.
        """
        refused: list[tuple[Record, str]] = []
        async for parcel, lines in _parcels(records, reporter):
            answer = await self._posted(lines)
            match answer:
                case {"kept": int(kept), "repeated": int(repeated), "refused": list(not_kept)} if kept + repeated + len(
                    not_kept
                ) == len(lines):
                    refused += [(parcel[line["line"] - 1], str(line["error"])) for line in not_kept]
                case _:
                    raise Undelivered("a node does not say what became of each line")
        return refused

    async def _posted(self, lines: list[bytes]) -> dict[str, Any]:
        node = self._nodes.url
        try:
            return await self._transport.post_lines(node, PATH, lines, _TIMEOUT_S)
        except Unanswered as error:
            self._nodes.failed(node)
            raise Undelivered(str(error)) from error


async def _parcels(batch: list[Record], reporter: str) -> AsyncIterator[tuple[list[Record], list[bytes]]]:
    """Yield the records and their lines, as many at once as one request may carry."""
    records: list[Record] = []
    lines: list[bytes] = []
    size = 0
    for record in batch:
        line = line_of(record, reporter)
        if lines and (size + len(line) > _MOST_BYTES or len(lines) == _MOST_LINES):
            yield records, lines
            records, lines, size = [], [], 0
        records.append(record)
        lines.append(line)
        size += len(line) + 1
        if len(lines) % _LINES_A_TURN == 0:
            await asyncio.sleep(0)
    yield records, lines
