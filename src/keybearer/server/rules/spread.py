"""How far a change has come: which APIs still have to confirm it."""

from collections.abc import Iterable
from dataclasses import dataclass

from keybearer.server.records import Report, Verifier


@dataclass(frozen=True, slots=True)
class Spread:
    """
    How far a change has come.

    Args:
        apis: how many resource servers verify tokens at present.
        confirmed: how many of them have confirmed by all of their processes.
        is_certain: every verifier that any node has answered lately has confirmed.
    """

    apis: int
    confirmed: int
    is_certain: bool


def spread(epoch: str, seq: int, reports: Iterable[Report]) -> Spread:
    """
    Tell how far the event *seq* of a lineage has come.

    A node's report counts only once the node has seen the event itself: verifiers that it answers from then on learn of
    the event, and those that it answered before are in the report. What is not known is not confirmed.

    Args:
        reports: of every node that answers verifiers.

    Source: coherence.md 5.5, consequence (iii).
    """
    is_told = True
    reached: dict[Verifier, int] = {}
    for report in reports:
        is_same = report.epoch == epoch
        is_told = is_told and is_same and report.seq >= seq
        for verifier, its_seq in report.reached.items():
            reached[verifier] = max(reached.get(verifier, 0), its_seq if is_same else 0)
    waiting = {api for (api, _), its_seq in reached.items() if its_seq < seq}
    apis = {api for api, _ in reached}
    return Spread(len(apis), len(apis - waiting), is_told and not waiting)
