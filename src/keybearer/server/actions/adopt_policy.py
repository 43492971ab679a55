"""A node starts with what the operator lets each role do; where that is new, verifiers forget what they believed."""

from keybearer.server import ledger
from keybearer.server.activities import Activity, Actor
from keybearer.server.store import policy
from keybearer.server.store.database import Transaction


async def adopt_policy(tx: Transaction, actor: Actor, digest: str, now: int) -> bool:
    """
    Put this node's policy in force; False if it was already.

    The change is told to the feed, and concerns everybody. The last node to start decides: one that still runs with
    another policy can tell by the digest that it is behind.

    Args:
        actor: the node.
        digest: of what the roles allow (`rules.policy`).
        now: microseconds since 1970 UTC.
    """
    if await policy.present(tx) == digest:
        return False
    if await policy.put(tx, digest):
        await ledger.record(tx, actor, Activity("policy.changed", f"policy:{digest}"), now)
    return True
