"""A node starts with what the operator lets each role do; where that is new, verifiers forget what they believed."""

from keybearer.server.store import policy
from keybearer.server.store.database import Transaction


async def adopt_policy(tx: Transaction, digest: str) -> bool:
    """
    Put this node's policy in force; False if it was already.

    The change is told to the feed, and concerns everybody. The last node to start decides: one that still runs with
    another policy can tell by the digest that it is behind.

    Args:
        digest: of what the roles allow (`rules.policy`).
    """
    if await policy.present(tx) == digest:
        return False
    await policy.put(tx, digest)
    return True
