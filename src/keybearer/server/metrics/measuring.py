"""What there is to measure: the numbers that the parts of a node count for themselves, under their metrics' names."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Final, TypeVar

from prometheus_client import ProcessCollector

from keybearer.server.clock import SECOND
from keybearer.server.metrics.requests import Requests
from keybearer.server.metrics.table import METRICS
from keybearer.server.node import Node
from keybearer.server.store import backlogs
from keybearer.server.store.database import Database
from keybearer.server.store.faults import StoreFault

Measured = dict[tuple[str, tuple[str, ...]], tuple[float, ...]]
"""By name and labels: one number; of a histogram those of its buckets, and what all measurements add up to."""

Labels = TypeVar("Labels", bound=str | tuple[str, ...])

_PATIENCE_S: Final = 2.0
_PROCESS: Final = ProcessCollector(registry=None)
_VERSION: Final = version("keybearer")


def process(node: Node, requests: Requests) -> Measured:
    """Measure this process: what it has in memory, and what the system says of it."""
    return {
        ("keybearer_build_info", (_VERSION,)): (1,),
        **_answers(requests),
        **_work(node),
        **_revocation(node),
        **_system(),
    }


def _system() -> Measured:
    """What the system says of this process, as far as it is in the table."""
    samples = [sample for family in _PROCESS.collect() for sample in family.samples]
    return {(sample.name, ()): (sample.value,) for sample in samples if sample.name in METRICS}


def _answers(requests: Requests) -> Measured:
    answered = Counter({(*asked, "200"): count for asked, count in requests.hits.items()})
    for asked, it in requests.answered.items():
        answered.update({(*asked, str(status)): count for status, count in it.statuses.items()})
    return {
        **_counted("keybearer_requests_total", answered),
        **_counted("keybearer_hits_total", requests.hits),
        **{
            ("keybearer_request_duration_seconds", asked): it.seconds.numbers for asked, it in requests.answered.items()
        },
        **_counted("keybearer_refusals_total", requests.refusals),
        **_counted("keybearer_denials_total", requests.denials),
        **_counted("keybearer_store_faults_total", requests.faults),
        **_counted("keybearer_token_requests_total", requests.token_requests),
    }


def _work(node: Node) -> Measured:
    """What was changed, recorded, sent and committed."""
    calls, commits = node.call_records, node.database.commits
    return {
        **_counted("keybearer_changes_total", commits.changes),
        **_counted("keybearer_webhook_attempts_total", node.webhook_sender.attempts),
        **_counted("keybearer_mails_total", node.mailer.outcomes),
        **_numbers(
            keybearer_sealing_age_seconds=_age(node.sealer.done_at, node.now()),
            keybearer_call_records_shipped_total=calls.shipped,
            keybearer_call_records_waiting=calls.waiting,
            keybearer_call_records_stuck_seconds=calls.behind_s,
            keybearer_transactions_total=commits.works,
            keybearer_transactions_waiting=node.database.waiting,
        ),
        ("keybearer_commit_duration_seconds", ()): commits.seconds.numbers,
    }


def _revocation(node: Node) -> Measured:
    """How far the feed and those who follow it are."""
    head, unread_s, bound_s = node.feed.position, node.feed.unread_s, node.settings.bound
    verifiers = node.verifiers
    return _numbers(
        keybearer_verifiers=len(verifiers.seen_within(bound_s)),
        keybearer_verifier_unconfirmed_seconds=verifiers.unconfirmed_s(head, bound_s) if head else 0,
        **({} if unread_s is None else {"keybearer_feed_unread_seconds": unread_s}),
    )


async def database(node: Node) -> Measured:
    """Measure what stands in the database; if it does not answer in time, say only that."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await _stored(node.database, node.now())
    except (StoreFault, TimeoutError):
        return _numbers(keybearer_database_up=0)


async def _stored(stored: Database, now: int) -> Measured:
    _, position = await stored.position()
    unplaced = await backlogs.unplaced(stored)
    deliveries = await backlogs.deliveries(stored)
    mails = await backlogs.mails(stored)
    return _numbers(
        keybearer_database_up=1,
        keybearer_feed_position=position,
        keybearer_sealing_waiting=unplaced.waiting,
        keybearer_sealing_oldest_waiting_seconds=_age(unplaced.oldest_at, now),
        keybearer_webhook_deliveries_waiting=deliveries.waiting,
        keybearer_webhook_overdue_seconds=_age(deliveries.oldest_at, now),
        keybearer_notices_waiting=mails.waiting,
        keybearer_notices_overdue_seconds=_age(mails.oldest_at, now),
    )


def joined(several: Iterable[Measured]) -> Measured:
    """Make one out of what was measured in several processes."""
    whole: Measured = {}
    for measured in several:
        for key, numbers in measured.items():
            joining = METRICS[key[0]].joined
            whole[key] = tuple(map(joining, whole[key], numbers)) if key in whole else numbers
    return whole


def lasting(measured: Measured) -> Measured:
    """Return what stays true when the process ends in which it was measured: all but gauges."""
    return {key: numbers for key, numbers in measured.items() if METRICS[key[0]].kind != "gauge"}


def _counted(name: str, counts: Mapping[Labels, int]) -> Measured:
    return {(name, (labels,) if isinstance(labels, str) else labels): (count,) for labels, count in counts.items()}


def _numbers(**numbers: float) -> Measured:
    return {(name, ()): (number,) for name, number in numbers.items()}


def _age(at: int | None, now: int) -> float:
    return 0 if at is None else max(0, now - at) / SECOND
