"""Questions and answers between verifier and node as JSON objects."""

import struct
from collections.abc import Mapping
from sys import intern
from typing import Any, Final

from keybearer.wire.denial import Bearer, Denial, Reason
from keybearer.wire.feed import Event, Fetched, Position, SyncAnswer, SyncQuestion
from keybearer.wire.packing import packed_place, packed_token
from keybearer.wire.principal import Principal

_LONGEST_S: Final = 1e12  # NaN and the infinities, which `json` reads, are not below it
_REASONS: Final = frozenset(Reason)
_STANDING: Final = ("user_id", "user_name", "user_email", "team_id", "membership_id", "role", "environment")


class Malformed(ValueError):
    """A message is not what it should be; nothing of it is believed."""


def sync_question_as_json(question: SyncQuestion) -> dict[str, Any]:
    """Write a question."""
    return {"nonce": question.nonce, "position": _position_as_json(question.position)}


def sync_question_from_json(body: Mapping[str, Any]) -> SyncQuestion:
    """
    Read a question.

    Raises:
        Malformed: a part is missing or of another type.
    """
    return SyncQuestion(_text(body, "nonce"), _position(body.get("position")))


def sync_answer_as_json(answer: SyncAnswer) -> dict[str, Any]:
    """Write an answer; an event is a list of five, because there may be a thousand."""
    return {
        "nonce": answer.nonce,
        "head": _position_as_json(answer.head),
        "reset": answer.is_reset,
        "age": answer.age_s,
        "events": [[event.seq, event.kind, event.subject, event.at, event.hash.hex()] for event in answer.events],
    }


def sync_answer_from_json(body: Mapping[str, Any]) -> SyncAnswer:
    """
    Read an answer.

    Raises:
        Malformed: a part is missing or of another type.
    """
    age_s, is_reset, events = _seconds(body, "age"), body.get("reset"), body.get("events")
    if not isinstance(is_reset, bool) or not isinstance(events, list):
        raise Malformed("reset or events are missing")
    return SyncAnswer(
        _text(body, "nonce"), _position(body.get("head")), tuple(_event(each) for each in events), is_reset, age_s
    )


def fetched_as_json(fetched: Fetched) -> dict[str, Any]:
    """Write an accepted token as a snapshot had it."""
    principal = fetched.principal
    return {
        "epoch": fetched.epoch,
        "as_of": fetched.as_of,
        "remaining": fetched.remaining_s,
        "token": {
            "id": principal.token_id,
            "kind": principal.token_kind,
            "last4": principal.token_last4,
            "grant": principal.grant_id,
            "family": fetched.family_id,
            "client": principal.client_id,
            "expires_at": principal.expires_at,
            "narrowed": principal.is_narrowed,
        },
        "standing": {name: getattr(principal, name) for name in _STANDING},
        "permissions": sorted(principal.permissions),
    }


def denial_as_json(denial: Denial) -> dict[str, Any]:
    """Write why a token is refused; whose it was, for the record, if it is a known one."""
    denied = {"denied": denial.reason.value}
    return denied if denial.bearer is None else {**denied, "bearer": denial.bearer._asdict()}


def denial_from_json(body: Mapping[str, Any]) -> Denial:
    """
    Read why a token is refused; of a newer node it may be for a reason that this verifier does not know.

    Raises:
        Malformed: it does not say why.
    """
    match body:
        case {"denied": str(word)}:
            reason = Reason(word) if word in _REASONS else Reason.UNKNOWN
            return Denial(reason, bearer=_bearer_from_json(body.get("bearer")))
    raise Malformed("an answer to fetch says neither who nor why not")


def _bearer_from_json(bearer: Any) -> Bearer | None:
    match bearer:
        case {
            "user_id": int(user_id),
            "team_id": int(team_id),
            "environment": str(environment),
            "client_id": str() | None as client_id,
            "grant_id": str(grant_id),
            "token_id": str(token_id),
            "token_last4": str(last4),
        }:
            return Bearer(user_id, team_id, environment, client_id, grant_id, token_id, last4)
    return None


def fetched_from_json(body: Mapping[str, Any]) -> Fetched:
    """
    Read an accepted token.

    Raises:
        Malformed: a part is missing or of another type.
    """
    match body:
        case {
            "epoch": str(epoch),
            "as_of": int(as_of),
            "token": {
                "id": str(token_id),
                "kind": str(kind),
                "last4": str(last4),
                "grant": str(grant_id),
                "family": str() | None as family_id,
                "client": str() | None as client_id,
                "expires_at": int(expires_at),
                "narrowed": bool(is_narrowed),
            },
            "standing": dict(standing),
            "permissions": list(permissions),
        } if all(isinstance(name, str) for name in permissions):
            try:
                token = packed_token(kind, expires_at, is_narrowed=is_narrowed, ids=(token_id, grant_id, last4))
            except (ValueError, struct.error) as fault:
                raise Malformed("a fetched token has a part that no token has") from fault
            client_id = client_id and intern(client_id)  # the one text of an app for all of its tokens
            principal = Principal(*_standing(standing), frozenset(permissions), client_id, token)
            return Fetched(principal, epoch, as_of, family_id, _seconds(body, "remaining"))
    raise Malformed("a fetched token lacks a part, or has one of another type")


def _standing(body: Mapping[str, Any]) -> tuple[int, bytes]:
    """Read who somebody is, and their place."""
    match body:
        case {
            "user_id": int(user_id),
            "user_name": str(user_name),
            "user_email": str(user_email),
            "team_id": int(team_id),
            "membership_id": int(membership_id),
            "role": str(role),
            "environment": str(environment),
        }:
            try:
                return user_id, packed_place(team_id, membership_id, environment, role, (user_name, user_email))
            except (ValueError, struct.error) as fault:
                raise Malformed("a standing has a part that no standing has") from fault
    raise Malformed("a standing lacks a part, or has one of another type")


def _event(parts: object) -> Event:
    match parts:
        case [int(seq), str(kind), str(subject), int(at), str(hashed)]:
            return Event(seq, kind, subject, at, _hash(hashed))
    raise Malformed("an event is not a list of five")


def _position_as_json(position: Position) -> dict[str, Any]:
    return {"epoch": position.epoch, "seq": position.seq, "hash": position.hash.hex()}


def _position(body: object) -> Position:
    match body:
        case {"epoch": str(epoch), "seq": int(seq), "hash": str(hashed)} if seq >= 0:
            return Position(epoch, seq, _hash(hashed))
    raise Malformed("a position has no epoch, seq and hash")


def _hash(text: str) -> bytes:
    try:
        hashed = bytes.fromhex(text)
    except ValueError as error:
        raise Malformed("a hash is not hexadecimal") from error
    if len(hashed) != 32:
        raise Malformed("a hash is not 32 bytes long")
    return hashed


def _seconds(body: Mapping[str, Any], name: str) -> float:
    value = body.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= _LONGEST_S:
        raise Malformed(f"{name} is not a number of seconds")
    return float(value)


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise Malformed(f"{name} is missing")
    return value
