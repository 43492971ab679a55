"""The endpoint to which APIs report records of calls, in batches; each record is kept exactly once."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from keybearer.server.actions.record_activity import Recorded, record_activity
from keybearer.server.activity.reported_lines import MOST_LINES, Line, RefusedLine, lines_of, read_lines
from keybearer.server.http.answers import NO_STORE, json_answer
from keybearer.server.http.bearer import key_of
from keybearer.server.http.edge import address_of, log_quietly
from keybearer.server.http.forms import demand_type
from keybearer.server.node import Node
from keybearer.server.reads.token_owners import token_owners
from keybearer.server.records import HeldToken, ResourceServer
from keybearer.server.refusals import Refusal

PATH: Final = "/verifier/activity"
_CONTENT_TYPE: Final = "application/x-ndjson"
_LINES_A_TURN: Final = 100  # judged before the event loop may look after others


def routes(node: Node) -> list[BaseRoute]:
    """Return the door; the key is checked before the body, which may be long, is read."""

    async def handle(request: Request) -> Response:
        answered = await _report(node, request)
        log_quietly(request)
        return json_answer(answered, 200, NO_STORE)

    return [Route(PATH, handle, methods=["POST"])]


async def _report(node: Node, request: Request) -> dict[str, Any]:
    key = key_of(request)
    await node.feed.recent()
    owner = await node.verifier_keys.owner_of(key, address_of(request), node.now())
    demand_type(request, _CONTENT_TYPE)
    lines, refused = await _judge(node, await request.body(), owner)
    owners = await token_owners(node.database, lines)
    recorded = await node.sealer.keep(record_activity, lines, owners, node.now())
    _note_uses(node, lines, owners)
    return _answer(recorded, refused) | {"reporter": owner.resource_server_id}


def _note_uses(node: Node, lines: Sequence[Line], owners: Mapping[str, HeldToken]) -> None:
    """Remember when the tokens were last used that the lines name, and their users with them."""
    latest: dict[tuple[str | None, str], int] = {}
    for line in lines:
        use = line.entry.token, line.user
        latest[use] = max(line.entry.at, latest.get(use, 0))
    for (token_id, user), at in latest.items():
        token = owners.get(token_id or "")
        if token is not None and user == str(token.user_id):
            node.last_used.note(token.token_id, min(at, node.now()))


async def _judge(node: Node, body: bytes, owner: ResourceServer) -> tuple[list[Line], list[RefusedLine]]:
    """
    Judge each line by itself.

    Before one is refused, the database is asked for the time: what a node whose clock is behind takes for the future
    would be refused for good.
    """
    judged = await _read(body, owner, node.now())
    told = await node.database.clock() if judged[1] else None
    return judged if told is None or told <= node.now() else await _read(body, owner, told)


async def _read(body: bytes, reporter: ResourceServer, now: int) -> tuple[list[Line], list[RefusedLine]]:
    texts = lines_of(body)
    if len(texts) > MOST_LINES:
        raise Refusal("too_large", f"A batch has at most {MOST_LINES} lines.", "too many lines")
    read: list[Line | RefusedLine] = []
    for first in range(0, len(texts), _LINES_A_TURN):
        read += read_lines(texts[first : first + _LINES_A_TURN], first + 1, reporter, now)
        await asyncio.sleep(0)
    return [line for line in read if isinstance(line, Line)], [line for line in read if isinstance(line, RefusedLine)]


def _answer(recorded: Recorded, unread: list[RefusedLine]) -> dict[str, Any]:
    refused = sorted((*unread, *recorded.refused), key=lambda line: line.place)
    return {
        "kept": recorded.kept,
        "repeated": recorded.repeated,
        "refused": [{"line": line.place, "n": line.n, "error": line.error} for line in refused],
        "through": recorded.through,
    }
