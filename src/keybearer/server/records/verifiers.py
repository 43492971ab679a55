"""Who verifies tokens, and what a node knows of them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ResourceServer:
    """An API that verifies the tokens of one environment; only the digest of its key is kept."""

    resource_server_id: str
    name: str
    environment: str
    last4: str
    created_at: int
    seen_at: int | None
    revoked_at: int | None


Verifier = tuple[str, str]
"""A verifier process: its resource server's id, and the random text by which it is known."""


@dataclass(frozen=True, slots=True)
class Report:
    """
    What one node knows of the verifiers that asked it within the bound.

    Args:
        epoch: the feed's lineage that this is about.
        seq: how far the feed reached when this was written; it says nothing of what came later. For a node that
            answers nobody any more, the largest number there is.
        reached: verifier -> the newest event that it has confirmed; 0 for one that is elsewhere, or has confirmed none.
    """

    epoch: str
    seq: int
    reached: Mapping[Verifier, int]
