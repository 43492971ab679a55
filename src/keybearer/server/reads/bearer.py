"""Who acts with a bearer token right now, read from the store."""

from collections.abc import Mapping

from keybearer.server import secrets
from keybearer.server.store import tokens
from keybearer.server.store.database import Reader
from keybearer.verify.decide import decide
from keybearer.wire import token_text
from keybearer.wire.denial import Denial, Reason
from keybearer.wire.principal import Principal


async def bearer(
    reader: Reader, text: str, prefix: str, role_permissions: Mapping[str, frozenset[str]], now: int
) -> Principal | Denial:
    """
    Tell who acts with the token of this *text*, or why nobody does.

    A text that cannot be a token of ours is refused without a look-up.

    Args:
        prefix: the provider's own token prefix.
        role_permissions: what each role may do.
        now: microseconds since 1970 UTC.
    """
    parsed = token_text.parse(text)
    if parsed is None or parsed.prefix != prefix:
        return Denial(Reason.MALFORMED)
    if parsed.kind not in token_text.BEARER_KINDS:
        return Denial(Reason.WRONG_KIND, parsed.last4)
    record = await tokens.record_of(reader, secrets.digest(text))
    if record is None:
        return Denial(Reason.UNKNOWN, parsed.last4)
    if record.environment != parsed.environment:
        return Denial(Reason.WRONG_ENVIRONMENT, parsed.last4)
    return decide(record, now, role_permissions)
