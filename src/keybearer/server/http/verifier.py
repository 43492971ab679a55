"""The endpoints for verifiers (coherence.md 5.3): events, single tokens, and calls taken off rate limits."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from keybearer.server.http.answers import NO_STORE, json_answer
from keybearer.server.http.bare_doors import BareDoor
from keybearer.server.http.bearer import key_of
from keybearer.server.http.edge import address_of, log_quietly
from keybearer.server.http.forms import read_json
from keybearer.server.node import Node
from keybearer.server.reads.fetched_token import fetched_token
from keybearer.server.refusals import Refusal
from keybearer.verify.lease import INTERVAL_S
from keybearer.wire.denial import Denial
from keybearer.wire.messages import (
    Malformed,
    denial_as_json,
    fetched_as_json,
    sync_answer_as_json,
    sync_question_from_json,
)
from keybearer.wire.quota import grants_as_json, wants_from_json

LONGEST_WAIT_S: Final = 5.0
_INSTANCE: Final = re.compile(r"[!-~]{8,64}")
_LONGEST_NONCE: Final = 64
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


Answer = Callable[[Node, Request], Awaitable[dict[str, Any]]]


def routes(node: Node) -> list[BaseRoute]:
    """
    Return the doors for verifiers.

    What is answered is logged at debug only: fifty verifiers ask fifty times a second. Told at info are the verifier
    that appears or goes (`verifiers.Verifiers`) and every refusal.
    """
    return [
        _door(node, "/verifier/sync", _sync),
        _door(node, "/verifier/fetch", _fetch),
        _door(node, "/verifier/count", _count),
    ]


def _door(node: Node, path: str, answer: Answer) -> BareDoor:
    async def handle(request: Request) -> Response:
        answered = await answer(node, request)
        log_quietly(request)
        return json_answer(answered, 200, NO_STORE)

    return BareDoor(path, handle, methods=["POST"])


async def _sync(node: Node, request: Request) -> dict[str, Any]:
    """
    Answer what has happened since the verifier's position.

    The key is looked at again at the end: what this answer tells of may be the end of the key.

    Source: coherence.md 5.3, V1 and N1.
    """
    key, address = key_of(request), address_of(request)
    owner = await node.verifier_keys.owner_of(key, address, node.now())
    body = await read_json(request)
    try:
        question = sync_question_from_json(body)
    except Malformed as error:
        raise _malformed(str(error)) from error
    instance, wait_s = _instance(body), _wait_s(body)
    node.verifiers.note(owner, instance, question.position)
    await node.neighbours.announce()
    answer = await node.feed.answer(question, wait_s)
    await node.verifier_keys.owner_of(key, address, node.now())
    return sync_answer_as_json(answer) | {"lease": node.settings.lease_s, "interval": INTERVAL_S}


async def _fetch(node: Node, request: Request) -> dict[str, Any]:
    """
    Answer who acts with the token of a digest, read after the question came.

    Source: coherence.md 5.3, V5.
    """
    await node.feed.recent()
    owner = await node.verifier_keys.owner_of(key_of(request), address_of(request), node.now())
    body = await read_json(request)
    nonce, digest, instance = _nonce(body), body.get("digest"), _instance(body)
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise _malformed("digest is not 64 hexadecimal digits in lower case")
    node.verifiers.note(owner, instance)
    await node.neighbours.announce()
    proved = await node.feed.barrier.passed() if node.feed.barrier else None
    async with node.look_ups.place(f"{owner.resource_server_id} {instance}"):
        found = await fetched_token(
            node.database, bytes.fromhex(digest), owner.environment, node.role_permissions, node.now(), node.policy
        )
    if isinstance(found, Denial):
        return {"nonce": nonce, "fetched": None} | denial_as_json(found)
    if proved and proved.epoch != found.epoch:
        raise Refusal("unavailable", "This node's database is no longer in force. Ask another.", "another epoch")
    return {"nonce": nonce, "fetched": fetched_as_json(found), "denied": None}


async def _count(node: Node, request: Request) -> dict[str, Any]:
    """
    Take calls off the limits of those who call the verifier's API, for it to count itself.

    What was granted is gone if this answer is lost: asked again, the verifier is granted other calls.
    """
    await node.feed.recent()
    owner = await node.verifier_keys.owner_of(key_of(request), address_of(request), node.now())
    body = await read_json(request)
    _instance(body)
    try:
        wants = wants_from_json(body.get("wants"))
    except Malformed as error:
        raise _malformed(str(error)) from error
    nonce = _nonce(body)
    grants = await node.own_calls.limits.take(wants, owner.environment)
    return {"nonce": nonce} | grants_as_json(node.own_calls.limits.terms, grants)


def _nonce(body: dict[str, Any]) -> str:
    nonce = body.get("nonce")
    if not isinstance(nonce, str) or not 0 < len(nonce) <= _LONGEST_NONCE:
        raise _malformed("nonce is missing")
    return nonce


def _instance(body: dict[str, Any]) -> str:
    instance = body.get("instance")
    if not isinstance(instance, str) or not _INSTANCE.fullmatch(instance):
        raise _malformed("instance is not 8 to 64 visible characters")
    return instance


def _wait_s(body: dict[str, Any]) -> float:
    wait = body.get("wait", 0)
    if not isinstance(wait, int | float) or isinstance(wait, bool) or not 0 <= wait <= LONGEST_WAIT_S:
        raise _malformed("wait is not a number from 0 to 5")
    return float(wait)


def _malformed(why: str) -> Refusal:
    return Refusal("invalid_request", f"The question is malformed: {why}.", why)
