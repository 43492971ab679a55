"""From the lines of a spool to what the server is sent: entries of the activity log, and what opens them."""

import binascii
from collections.abc import Callable
from json.encoder import encode_basestring as _quoted
from typing import NamedTuple, TypeVar

from keybearer.reporting.lines import Intent, Outcome
from keybearer.wire.activity import CALL, Entry, entry_bytes, seal

Made = TypeVar("Made")


class Record(NamedTuple):
    """
    A call that is over.

    Args:
        n: its number in the life of its process, from 1 without a gap: that of its outcome.
    """

    boot: str
    n: int
    intent: Intent
    outcome: Outcome


def line_of(record: Record, reporter: str) -> bytes:
    """
    Return a record as a line of ``/verifier/activity``, JSON: the same bytes whenever it is asked for.

    Args:
        reporter: the resource server's id.
    """
    entry, details = entry_of(record, reporter, Entry)
    opening = ",".join([f'"{field}":["{salt}",{_quoted(value)}]' for field, (salt, value) in details.items()])
    return f'{{"entry":{_quoted(entry_bytes(entry).decode())},"details":{{{opening}}}}}'.encode()


def entry_of(record: Record, reporter: str, make: Callable[..., Made]) -> tuple[Made, dict[str, tuple[str, str]]]:
    """
    Return a record as the activity log has it: the entry, and what opens its commitments.

    Args:
        reporter: a resource server's id.
        make: makes an `Entry`, or what has the same parts.
    """
    intent, outcome = record.intent, record.outcome
    caller = intent.caller
    salts = _salts(intent, outcome)
    sealed, details = seal(_personal(intent, outcome), lambda _: salts)
    entry = make(
        at=intent.at,
        action=outcome.action or CALL,
        outcome=outcome.outcome,
        reporter=reporter,
        boot=record.boot,
        n=record.n,
        reason=outcome.reason,
        team=caller.team,
        environment=caller.environment,
        client=caller.client,
        grant=caller.grant,
        token=caller.token,
        token_last4=caller.token_last4,
        method=caller.method,
        route=outcome.route or caller.route,
        status=outcome.status,
        ms=outcome.ms,
        request_id=intent.request_id,
        sealed=sealed,
    )
    return entry, details


def _personal(intent: Intent, outcome: Outcome) -> dict[str, str]:
    """Return what is sealed, in the order of the salts."""
    caller = intent.caller
    told = {"user": caller.user}
    if caller.address is not None:
        told["address"] = caller.address
    if caller.agent is not None:
        told["agent"] = caller.agent
    if outcome.words is not None:
        told["words"] = outcome.words
    return told


def _salts(intent: Intent, outcome: Outcome) -> bytes:
    return binascii.a2b_base64(intent.salts) + binascii.a2b_base64(outcome.salt or "")
