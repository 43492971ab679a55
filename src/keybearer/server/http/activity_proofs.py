"""The endpoints that serve checkpoints, tiles and proofs of the activity log (C2SP tlog-tiles)."""

import base64
import re
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from keybearer.server import refusals
from keybearer.server.http.answers import json_answer
from keybearer.server.http.bearer import caller_of
from keybearer.server.http.call_record import recorded
from keybearer.server.http.edge import note_refusal
from keybearer.server.http.errors import verifier_error
from keybearer.server.http.forms import read_query
from keybearer.server.http.limits import count_call
from keybearer.server.node import Node
from keybearer.server.reads.activity_proofs import consistency, inclusion, signed_log, tile
from keybearer.server.refusals import Refusal

_PREFIXES: Final = ("/activity", "/activity/log/{kind}/{month}", "/activity/log/{kind}/{owner}/{month}")
_TILE: Final = re.compile(r"((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
_OWNERS_ROLE: Final = "owner"

Answer = Callable[[Node, Request, str], Awaitable[Response]]


def routes(node: Node) -> list[BaseRoute]:
    """
    Return the doors.

    A log is named by what stands behind ``…/activity/`` in its origin; without a name it is the tree over all logs.
    Checkpoints of teams and of the server are for everybody. The hashes of a team's log are for the tokens of its
    owners, and whatever is of a person's log for that person's tokens.
    """
    ends: dict[str, Answer] = {
        "/checkpoint": _checkpoint,
        "/tile/{level}/{place:path}": _tile,
        "/proof/inclusion": _inclusion,
        "/proof/consistency": _consistency,
    }
    return [_door(node, prefix, end, answer) for prefix in _PREFIXES for end, answer in ends.items()]


def _door(node: Node, prefix: str, end: str, answer: Answer) -> Route:
    async def read(request: Request) -> Response:
        await _check_reader(node, request, is_checkpoint=end == "/checkpoint")
        return await answer(node, request, _origin(node, request))

    async def handle(request: Request) -> Response:
        try:
            return await recorded(request, lambda: read(request))
        except Refusal as refusal:
            note_refusal(request, refusal)
            return verifier_error(refusal)

    return Route(prefix + end, handle, methods=["GET"])


def _origin(node: Node, request: Request) -> str:
    names = [request.path_params[name] for name in ("kind", "owner", "month") if name in request.path_params]
    if any("\0" in name for name in names):
        raise refusals.not_found("path: NUL")
    return "/".join([node.sealer.base, *names])


async def _check_reader(node: Node, request: Request, *, is_checkpoint: bool) -> None:
    """
    Refuse whoever may not read the log.

    Raises:
        Refusal: ``unauthenticated`` or ``not_found``, whether there is such a log or not.
    """
    kind, owner = request.path_params.get("kind", "tree"), request.path_params.get("owner", "")
    if kind in {"tree", "server"} or (kind == "team" and is_checkpoint):
        return
    principal = await caller_of(node, request)
    await count_call(node, request, principal)
    is_owners = kind == "team" and principal.role == _OWNERS_ROLE and owner == str(principal.team_id)
    if not is_owners and not (kind == "user" and owner == str(principal.user_id)):
        raise refusals.not_found("another's log")


async def _checkpoint(node: Node, _: Request, origin: str) -> Response:
    _log, signed = await node.view(signed_log, origin)
    return Response(signed.note, media_type="text/plain; charset=utf-8")


async def _tile(node: Node, request: Request, origin: str) -> Response:
    level, match = request.path_params["level"], _TILE.fullmatch(request.path_params["place"])
    if match is None or not _NUMBER.fullmatch(level):
        raise refusals.not_found("no such tile")
    place = int(match[1].replace("x", "").replace("/", ""))
    hashes = await node.view(tile, origin, (int(level), place), int(match[2] or 256))
    return Response(hashes, media_type="application/octet-stream")


async def _inclusion(node: Node, request: Request, origin: str) -> Response:
    index, size = _number(request, "index"), _number(request, "size")
    proof = await node.view(inclusion, origin, index, size)
    return _proof_answer(origin, {"index": index, "size": size}, proof)


async def _consistency(node: Node, request: Request, origin: str) -> Response:
    first, size = _number(request, "from"), _number(request, "to")
    return _proof_answer(origin, {"from": first, "to": size}, await node.view(consistency, origin, first, size))


def _proof_answer(origin: str, named: dict[str, int], proof: list[bytes]) -> Response:
    return json_answer({"origin": origin, **named, "hashes": [base64.b64encode(each).decode() for each in proof]})


def _number(request: Request, name: str) -> int:
    given = read_query(request).maybe(name) or ""
    if not _NUMBER.fullmatch(given):
        raise refusals.invalid_request(f"{name} must be a whole number.", f"proof: {name}")
    return int(given)
