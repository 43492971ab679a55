"""Reads who acts with the token of a digest, and at which point of the feed: what a mirror keeps."""

from collections.abc import Mapping

from keybearer.server.clock import SECOND
from keybearer.server.store import tokens
from keybearer.server.store.database import Reader
from keybearer.server.store.faults import StoreUnavailable
from keybearer.verify.decide import decide, ends_at
from keybearer.wire import token_text
from keybearer.wire.denial import Denial, Reason
from keybearer.wire.feed import Fetched


async def fetched_token(
    reader: Reader,
    digest: bytes,
    environment: str,
    role_permissions: Mapping[str, frozenset[str]],
    now: int,
    policy: str | None = None,
) -> Fetched | Denial:
    """
    Tell who acts with a token of this environment, as one snapshot has it, or why nobody does.

    Args:
        digest: SHA-256 of the token's text, 32 bytes.
        environment: the only one whose tokens are accepted; nothing more is told of others.
        role_permissions: what each role may do.
        now: microseconds since 1970 UTC.
        policy: the digest of *role_permissions*, where nothing may be told unless they are in force: a verifier would
            believe it until the next event. None: what this node itself goes by.

    Raises:
        StoreUnavailable: another node has brought another policy meanwhile.

    Source: coherence.md 5.3, V5.
    """
    found = await tokens.record_as_of(reader, digest)
    if found is None:
        return Denial(Reason.UNKNOWN)
    record, epoch, as_of, in_force = found
    if policy not in {None, in_force}:
        raise StoreUnavailable("this node's roles are not in force any more: start it again with the present settings")
    if record.environment != environment:
        return Denial(Reason.WRONG_ENVIRONMENT)
    if record.kind not in token_text.BEARER_KINDS:
        return Denial(Reason.WRONG_KIND, record.last4)
    decided = decide(record, now, role_permissions)
    if isinstance(decided, Denial):
        return decided
    return Fetched(decided, epoch, as_of, record.family_id, (ends_at(record) - now) / SECOND)
