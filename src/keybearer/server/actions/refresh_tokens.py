"""Trade a refresh token for a new pair."""

from dataclasses import dataclass

from keybearer.server import issuing, ledger, refusals, secrets
from keybearer.server.events import Activity, Actor
from keybearer.server.issuing import Terms, TokenPair
from keybearer.server.records import Client, HeldRefresh
from keybearer.server.refusals import Refusal
from keybearer.server.rules.refresh_family import Verdict, judge
from keybearer.server.store import grants, tokens
from keybearer.server.store.database import Transaction
from keybearer.wire import token_text


@dataclass(frozen=True, slots=True)
class Presented:
    """
    A refresh token as a client presents it.

    Args:
        scope: what the new access token shall be narrowed to: sorted words, '' for all that was granted.
    """

    text: str
    scope: str


async def refresh_tokens(
    tx: Transaction, actor: Actor, client: Client, presented: Presented, terms: Terms, now: int
) -> TokenPair | Refusal:
    """
    Trade a refresh token for a new pair, once.

    A late second use means the text has leaked: the family ends. That must survive the refusal, so this *returns* it
    and the transaction commits.

    Args:
        client: authenticated.
        now: microseconds since 1970 UTC.

    Raises:
        Refusal: ``invalid_grant`` or ``invalid_scope``; nothing has changed.

    Source: RFC 6749 §6, RFC 9700 §4.14.2.
    """
    parsed = token_text.parse(presented.text)
    if parsed is None or parsed.kind != "ort":
        raise refusals.invalid_grant("not a refresh token")
    held = await tokens.lock_refresh(tx, secrets.digest(presented.text))
    judgment = judge(held, client.client_id, now)
    if held is None or judgment.verdict is Verdict.REFUSE:
        raise refusals.invalid_grant(judgment.reason)
    if judgment.verdict is Verdict.REUSE:
        await grants.end_family(tx, held.family_id, now)
        await ledger.record(tx, actor, _replayed(held), now)
        return refusals.invalid_grant(judgment.reason)
    if presented.scope and held.narrowing == "scope" and not set(presented.scope.split()) <= set(held.scope.split()):
        raise refusals.invalid_scope("The scope is wider than what was granted.", "scope wider than the family's")
    if judgment.verdict is Verdict.REPLAY:
        return await issuing.same_pair(tx, held, presented.text, now)
    pair = await issuing.next_pair(tx, held, (presented.text, presented.scope), terms, now)
    if pair is None:
        raise refusals.invalid_grant("refreshed at the same moment")
    await ledger.record(tx, actor, _refreshed(held, pair), now)
    return pair


def _refreshed(held: HeldRefresh, pair: TokenPair) -> Activity:
    return Activity(
        "token.refreshed",
        f"token:{pair.access_id}",
        user_id=held.user_id,
        team_id=held.team_id,
        environment=held.environment,
        client_id=held.client_id,
        grant_id=held.grant_id,
        token_id=pair.access_id,
        token_last4=pair.access_text[-4:],
    )


def _replayed(held: HeldRefresh) -> Activity:
    return Activity(
        "refresh.replayed",
        f"family:{held.family_id}",
        user_id=held.user_id,
        team_id=held.team_id,
        environment=held.environment,
        client_id=held.client_id,
        grant_id=held.grant_id,
        token_id=held.token_id,
        outcome="refused",
    )
