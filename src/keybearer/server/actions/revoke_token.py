"""Give a token back."""

from typing import Final

from keybearer.server import ledger, refusals, secrets
from keybearer.server.activities import Activity, Actor
from keybearer.server.records import Client, HeldToken
from keybearer.server.refusals import Refusal
from keybearer.server.store import grants, tokens
from keybearer.server.store.database import Transaction
from keybearer.wire import token_text

_REVOCABLE: Final = frozenset({"oat", "ort"})


async def revoke_token(tx: Transaction, actor: Actor, client: Client, text: str, now: int) -> None:
    """
    Revoke a token of this client's; what is unknown or dead already is answered the same.

    A refresh token ends its family: the access tokens too (§2.1, SHOULD). An access token ends alone (§2.1, MAY): an
    app whose access token has leaked drops just that and refreshes, without troubling its user.

    Args:
        client: authenticated.
        text: the token; its kind stands in it, so a hint is not needed.
        now: microseconds since 1970 UTC.

    Raises:
        Refusal: ``unsupported_token_type``: codes, secrets and people's own tokens are not revoked here;
            ``invalid_grant``: another client's token. Nothing was revoked.

    Source: RFC 7009 §2.1, §2.2, §2.2.1.
    """
    parsed = token_text.parse(text)
    if parsed is None:
        return
    if parsed.kind not in _REVOCABLE:
        public = "Only access tokens and refresh tokens of OAuth can be revoked here."
        raise Refusal("unsupported_token_type", public, f"kind {parsed.kind}")
    held = await tokens.held(tx, secrets.digest(text))
    if held is None:
        return
    if held.client_id != client.client_id:
        raise refusals.invalid_grant("another client's token")
    if await _end(tx, held, now):
        await ledger.record(tx, actor, _revoked(held), now)


async def _end(tx: Transaction, held: HeldToken, now: int) -> bool:
    """End the token or its family; False if that was so already."""
    if held.kind == "oat":
        return await tokens.revoke(tx, held.token_id, now)
    assert held.family_id is not None  # noqa: S101 - only a personal token has none
    return await grants.end_family(tx, held.family_id, now)


def _revoked(held: HeldToken) -> Activity:
    return Activity(
        "token.revoked",
        f"token:{held.token_id}" if held.kind == "oat" else f"family:{held.family_id}",
        user_id=held.user_id,
        team_id=held.team_id,
        environment=held.environment,
        client_id=held.client_id,
        grant_id=held.grant_id,
        token_id=held.token_id,
        token_last4=held.last4,
    )
