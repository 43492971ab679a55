"""Take deliveries that are due, so that this node alone sends them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from keybearer.server.clock import MINUTE
from keybearer.server.records import ClaimedDelivery
from keybearer.server.store import webhook_deliveries, webhooks
from keybearer.server.store.database import Transaction

# Many times what sending may take. A node that dies meanwhile leaves what it had taken to others from then on.
CLAIM_LASTS: Final = MINUTE


@dataclass(frozen=True, slots=True)
class Claim:
    """
    What a node takes.

    Args:
        claim_id: nobody else's.
        most: how many deliveries of which webhook, by its id.
    """

    claim_id: str
    most: Mapping[str, int]


async def claim_deliveries(tx: Transaction, claim: Claim, now: int) -> list[ClaimedDelivery]:
    """
    Take deliveries that are due at *now* (microseconds since 1970 UTC), those that waited longest first.

    Returns:
        each with what sending it takes; no other node takes them before ``CLAIM_LASTS`` has passed.
    """
    claimed: list[ClaimedDelivery] = []
    for webhook_id in sorted(claim.most):
        found = await webhooks.to_send(tx, webhook_id)
        if found is None:
            continue  # switched off, or deleted, since it was found
        team_id, url, secrets = found
        period = (now, now + CLAIM_LASTS)
        taken = await webhook_deliveries.claim(tx, webhook_id, claim.claim_id, period, claim.most[webhook_id])
        claimed += [ClaimedDelivery(delivery, team_id, url, secrets) for delivery in taken]
    return claimed
