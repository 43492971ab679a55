"""The sync loop without its network: which question a verifier asks next, of which node, and when."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from keybearer.sdk.clocks import Clocks
from keybearer.sdk.nodes import Nodes
from keybearer.verify.lease import INTERVAL_S, Heard, Lease
from keybearer.wire.feed import SyncAnswer
from keybearer.wire.messages import Malformed, sync_answer_from_json, sync_question_as_json

TIMEOUT_S: Final = 2.0
SOONEST_S: Final = 0.02  # from news to the next question, so that the node first tells the others
JUMP_S: Final = 1.0  # between the clocks: more means that one of them stood still
_BACK_OFF_S: Final = 0.1
_LONGEST_LEASE_S: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class Call:
    """
    A question to a node.

    Args:
        timeout_s: for the whole of it.
    """

    node: str
    path: str
    body: dict[str, Any]
    timeout_s: float


class Driver:
    """
    Asks what has happened, and says when to ask again.

    Each question is held by the node until there is news, or for about an interval. News never renews the lease: that
    runs from when the question was begun, however it was answered.

    Args:
        instance: names this process to the node, 8 to 64 characters.

    Source: coherence.md 5.3 (V1), 5.7 (clocks that stand still).
    """

    def __init__(self, lease: Lease, nodes: Nodes, instance: str, clocks: Clocks, random: Random) -> None:
        self.trouble: str | None = None
        self._lease = lease
        self._nodes = nodes
        self._instance = instance
        self._clocks = clocks
        self._random = random
        self._interval_s = INTERVAL_S
        self._offset = clocks.offset()
        self._node = nodes.url
        self._asked_at = 0.0
        self._gap_s = 0.0
        self._failures = 0
        self._silences = 0

    @property
    def is_cut_off(self) -> bool:
        """Whether no node has said anything for a while: nothing else need be tried before one does."""
        return self._silences >= 2 * len(self._nodes)

    @property
    def is_unheard(self) -> bool:
        """Whether nobody answered the last question at all."""
        return self._silences > 0

    def question(self) -> Call:
        """Begin the next question."""
        self._notice_jump()
        self._asked_at = self._clocks.boottime()
        self._node = self._nodes.url
        self._gap_s = self._interval_s * self._random.uniform(0.8, 1.2)
        # Held only while there is nothing else to want: an empty or doubted mirror wants its answer at once.
        wait_s = 0.0 if self._failures or self._lease.is_out(self._asked_at) else round(self._gap_s, 3)
        question = self._lease.ask(f"{self._random.getrandbits(128):032x}", self._asked_at)
        body = {**sync_question_as_json(question), "instance": self._instance, "wait": wait_s}
        return Call(self._node, "/verifier/sync", body, wait_s + TIMEOUT_S)

    def fetch(self, nonce: str, digest: bytes) -> Call:
        """Return the question about one token, for the node that is spoken to now."""
        body = {"nonce": nonce, "instance": self._instance, "digest": digest.hex()}
        return Call(self._nodes.url, "/verifier/fetch", body, TIMEOUT_S)

    def count(self, nonce: str, wants: list[list[int]]) -> Call:
        """Return the question for calls that may be let through, for the node that is spoken to now."""
        body = {"nonce": nonce, "instance": self._instance, "wants": wants}
        return Call(self._nodes.url, "/verifier/count", body, TIMEOUT_S)

    def answered(self, body: Mapping[str, Any]) -> float:
        """
        Take an answer in.

        Returns:
            Seconds until the next question.
        """
        self._silences = 0
        try:
            answer, lease_s, interval_s = sync_answer_from_json(body), *_terms(body)
        except Malformed as error:
            return self._failed(f"an answer to sync is malformed: {error}")
        if self._notice_jump():
            return self._failed("the clocks were set while a question was under way")
        before = self._lease.position
        heard = self._lease.hear(answer)
        if heard is Heard.NOTHING:
            return self._failed("an answer to sync is not to this question, or its node is behind")
        if heard is Heard.LOST:
            return self._failed("the events do not follow one another: everything is asked for anew")
        if heard is Heard.BEHIND:
            stuck = self._lease.position == before
            return self._failed("an answer to sync brings none of the events that it speaks of") if stuck else 0.0
        self._lease.lease_s, self._interval_s = lease_s, interval_s
        self._failures, self.trouble = 0, None
        return self._pause(answer)

    def unanswered(self, why: str) -> float:
        """
        Note that there was no answer; ask another node.

        Returns:
            Seconds until the next question.
        """
        self._silences += 1
        return self._failed(why)

    def refused(self, why: str) -> float:
        """
        Note that the node answered, but did not say what was asked.

        Returns:
            Seconds until the next question.
        """
        self._silences = 0
        return self._failed(why)

    def _failed(self, why: str) -> float:
        self.trouble = why
        self._nodes.failed(self._node)
        self._failures += 1
        if self._failures <= len(self._nodes):
            return 0.0
        # By chance, so that those who lost a node together do not come back together; never more than an interval,
        # so that service is back an interval after the node.
        doubled = _BACK_OFF_S * 2.0 ** min(self._failures - len(self._nodes), 10)
        return min(self._interval_s, doubled) * self._random.uniform(0.5, 1.0)

    def _pause(self, answer: SyncAnswer) -> float:
        if answer.events or answer.is_reset:
            return SOONEST_S
        return max(0.0, self._asked_at + self._gap_s - self._clocks.boottime())

    def _notice_jump(self) -> bool:
        """Give up the lease if the clocks have moved apart: this machine was put back to an earlier state, perhaps."""
        before, self._offset = self._offset, self._clocks.offset()
        has_jumped = not abs(self._offset - before) <= JUMP_S
        if has_jumped:
            self._lease.void()
        return has_jumped


def _terms(body: Mapping[str, Any]) -> tuple[float, float]:
    """Return for how long the node lets its answers be believed, and how often it wants to be asked; seconds."""
    match body:
        case {"lease": (int() | float()) as lease_s, "interval": (int() | float()) as interval_s} if (
            0 < interval_s < lease_s <= _LONGEST_LEASE_S  # as NaN, the infinities and what no float holds are not
        ):
            return float(lease_s), float(interval_s)
    raise Malformed("lease or interval is missing, or makes no sense")
