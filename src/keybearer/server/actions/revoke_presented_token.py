"""Let a token end itself."""

from keybearer.server import ledger
from keybearer.server.activities import Activity, Actor
from keybearer.server.store import grants, tokens
from keybearer.server.store.database import Transaction
from keybearer.wire.principal import Principal


async def revoke_presented_token(tx: Transaction, actor: Actor, principal: Principal, now: int) -> None:
    """
    Revoke the token that *principal* acts with; doing it twice changes nothing more.

    A personal token is all there is under its grant, so the grant ends. Of an app only this access token ends: its
    refresh token goes on, and whoever wants the app gone revokes that, or its access on a page.

    Args:
        now: microseconds since 1970 UTC.

    Source: RFC 7009 §2.1 (what follows from revoking an access token is the server's choice).
    """
    if principal.client_id is None:
        action, subject = "grant.ended", f"grant:{principal.grant_id}"
        has_ended = await grants.end(tx, principal.grant_id, now) is not None
    else:
        action, subject = "token.revoked", f"token:{principal.token_id}"
        has_ended = await tokens.revoke(tx, principal.token_id, now)
    if not has_ended:
        return
    activity = Activity(
        action,
        subject,
        user_id=principal.user_id,
        team_id=principal.team_id,
        environment=principal.environment,
        client_id=principal.client_id,
        grant_id=principal.grant_id,
        token_id=principal.token_id,
        token_last4=principal.token_last4,
    )
    await ledger.record(tx, actor, activity, now)
