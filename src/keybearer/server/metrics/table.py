"""Every metric there is: its name, what it says, and how it adds up over several workers."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import add
from typing import Final, Literal

from keybearer.server.metrics.requests import BOUNDS_S as REQUEST_BOUNDS_S
from keybearer.server.store.commits import BOUNDS_S as COMMIT_BOUNDS_S


@dataclass(frozen=True, slots=True)
class Metric:
    """
    One metric.

    Args:
        words: what it says, in one sentence.
        labels: what tells its series apart.
        joined: makes one number out of those of two workers.
        bounds: of a histogram's buckets.
    """

    kind: Literal["counter", "gauge", "histogram"]
    words: str
    labels: tuple[str, ...] = ()
    joined: Callable[[float, float], float] = add
    bounds: tuple[float, ...] = ()


METRICS: Final = {
    "keybearer_build_info": Metric("gauge", "Always 1; the label tells what runs here.", ("version",), max),
    # Requests
    "keybearer_requests_total": Metric("counter", "Requests answered.", ("method", "route", "status")),
    "keybearer_hits_total": Metric(
        "counter",
        "Requests answered from memory, before they reached the application.",
        ("method", "route"),
    ),
    "keybearer_request_duration_seconds": Metric(
        "histogram",
        "How long the application took to answer; hits take microseconds and are left out.",
        ("method", "route"),
        bounds=REQUEST_BOUNDS_S,
    ),
    "keybearer_refusals_total": Metric("counter", "Requests refused, by the refusal's code.", ("code",)),
    "keybearer_denials_total": Metric("counter", "Tokens not accepted, by the reason.", ("reason",)),
    "keybearer_store_faults_total": Metric("counter", "Requests that the database could not serve.", ("fault",)),
    "keybearer_token_requests_total": Metric(
        "counter",
        "Requests to the token endpoint; the outcome is `issued`, a refusal's code, or `failed`.",
        ("grant_type", "outcome"),
    ),
    # Changes
    "keybearer_changes_total": Metric(
        "counter", "Changes that were committed, by the action's name in the activity log.", ("action",)
    ),
    # The activity log
    "keybearer_sealing_waiting": Metric("gauge", "Records without a place in the log yet; 1,000 means 1,000 or more."),
    "keybearer_sealing_oldest_waiting_seconds": Metric(
        "gauge", "How long the oldest record without a place in the log has waited."
    ),
    "keybearer_sealing_age_seconds": Metric("gauge", "How long ago sealing last completed.", joined=max),
    "keybearer_call_records_shipped_total": Metric(
        "counter", "Records of the server's own calls brought into the database."
    ),
    "keybearer_call_records_waiting": Metric(
        "gauge", "Records of the server's own calls that are not in the database yet."
    ),
    "keybearer_call_records_stuck_seconds": Metric(
        "gauge", "How long the database has not taken such records; 0 while it takes them.", joined=max
    ),
    # Revocation
    "keybearer_feed_position": Metric("gauge", "Number of the newest event of the feed."),
    "keybearer_feed_unread_seconds": Metric(
        "gauge", "How long ago the feed was last read; missing while nobody asks for it.", joined=max
    ),
    "keybearer_verifiers": Metric(
        "gauge", "Verifiers that currently rely on this server's answers; one that asks two workers counts twice."
    ),
    "keybearer_verifier_unconfirmed_seconds": Metric(
        "gauge",
        "How long ago the longest-silent verifier that has not confirmed the newest event was last heard.",
        joined=max,
    ),
    # Webhooks and mail
    "keybearer_webhook_attempts_total": Metric(
        "counter", "Attempts to deliver to webhooks: `taken` or `failed`.", ("outcome",)
    ),
    "keybearer_webhook_deliveries_waiting": Metric(
        "gauge", "Waiting deliveries to webhooks that are switched on, among the first 1,000 that wait."
    ),
    "keybearer_webhook_overdue_seconds": Metric("gauge", "How long the first waiting delivery has been due."),
    "keybearer_mails_total": Metric(
        "counter", "Mails that the mail server accepted (`sent`) or did not (`failed`).", ("outcome",)
    ),
    "keybearer_notices_waiting": Metric("gauge", "Notices that wait to be mailed to users; 1,000 means 1,000 or more."),
    "keybearer_notices_overdue_seconds": Metric("gauge", "How long the first waiting notice has been due."),
    # The database
    "keybearer_database_up": Metric("gauge", "1 if the database answered this scrape within two seconds, else 0."),
    "keybearer_commit_duration_seconds": Metric(
        "histogram", "How long commits took, including the wait for the disk or standby.", bounds=COMMIT_BOUNDS_S
    ),
    "keybearer_transactions_total": Metric("counter", "Transactions committed; several may share one commit."),
    "keybearer_transactions_waiting": Metric("gauge", "Transactions that wait for their turn."),
    # The processes, as Prometheus's client library finds them
    "process_cpu_seconds_total": Metric("counter", "Processor time spent, user and system."),
    "process_resident_memory_bytes": Metric("gauge", "Resident memory."),
    "process_virtual_memory_bytes": Metric("gauge", "Virtual memory."),
    "process_open_fds": Metric("gauge", "Open file descriptors."),
    "process_max_fds": Metric("gauge", "Open file descriptors that a process may have.", joined=max),
    "process_start_time_seconds": Metric(
        "gauge", "When the youngest process started, in seconds since 1970 UTC.", joined=max
    ),
}
