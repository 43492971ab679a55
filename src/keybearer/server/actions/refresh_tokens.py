"""Trade a refresh token for a new pair."""

from collections.abc import Sequence
from dataclasses import dataclass

from keybearer.server import issuing, ledger, refusals, secrets
from keybearer.server.activities import Activity, Actor
from keybearer.server.issuing import Draft, Terms, TokenPair
from keybearer.server.records import HeldRefresh
from keybearer.server.refusals import Refusal
from keybearer.server.rules.refresh_family import Verdict, judge
from keybearer.server.store import grants, tokens
from keybearer.server.store.database import Transaction
from keybearer.wire import token_text


@dataclass(frozen=True, slots=True)
class Refresh:
    """
    A refresh token as an authenticated client presents it.

    Args:
        scope: what the new access token shall be narrowed to: sorted words, '' for all that was granted.
    """

    actor: Actor
    client_id: str
    text: str
    scope: str


async def refresh_tokens(
    tx: Transaction, asked: Sequence[Refresh], terms: Terms, now: int, *, is_alone: bool
) -> list[TokenPair | Refusal | None]:
    """
    Trade refresh tokens for new pairs, each once: those that several clients present at one moment share a transaction.

    From here on a traded token and its access token are dead. A late second use means the text has leaked: the family
    ends. Every refusal is *returned*, so that it hinders none of the others; all but that one leave nothing behind.

    Args:
        now: microseconds since 1970 UTC.
        is_alone: whether to wait for another transaction that has its hand on a token.

    Returns:
        An outcome for each of *asked*: its pair, ``invalid_grant`` or ``invalid_scope``. None for one that must be
        asked again, alone: it is unknown, or another of *asked* or another transaction has its hand on it.

    Source: RFC 6749 §6, RFC 9700 §4.14.2.
    """
    digests = [secrets.digest(one.text) if token_text.kind_of(one.text) == "ort" else None for one in asked]
    held = await tokens.lock_refreshes(tx, [digest for digest in digests if digest], waiting=is_alone)
    outcomes: list[TokenPair | Refusal | None] = []
    traded: list[_Trade] = []
    for one, digest in zip(asked, digests, strict=True):
        if digest is None:
            outcomes.append(refusals.invalid_grant("not a refresh token"))
            continue
        found = held.pop(digest, None)
        if found is None and not is_alone:
            outcomes.append(None)
            continue
        outcome = await _judged(tx, one, found, terms, now)
        if isinstance(outcome, _Trade):
            traded.append(outcome)
            outcomes.append(outcome.draft.pair)
        else:
            outcomes.append(outcome)
    await _keep(tx, traded, now)
    return outcomes


@dataclass(frozen=True, slots=True)
class _Trade:
    asked: Refresh
    held: HeldRefresh
    draft: Draft


async def _judged(
    tx: Transaction, asked: Refresh, held: HeldRefresh | None, terms: Terms, now: int
) -> _Trade | TokenPair | Refusal:
    """Say what comes of one refresh token; only the end of a family is written already."""
    judgment = judge(held, asked.client_id, now)
    if held is None or judgment.verdict is Verdict.REFUSE:
        return refusals.invalid_grant(judgment.reason)
    if judgment.verdict is Verdict.REUSE:
        await grants.end_family(tx, held.family_id, now)
        await ledger.record(tx, asked.actor, _replayed(held), now)
        return refusals.invalid_grant(judgment.reason)
    if asked.scope and held.narrowing == "scope" and not set(asked.scope.split()) <= set(held.scope.split()):
        return refusals.invalid_scope("The scope is wider than what was granted.", "scope wider than the family's")
    if judgment.verdict is Verdict.REPLAY:
        return await _again(tx, asked, held, now)
    return _Trade(asked, held, issuing.next_pair(held, asked.scope, terms, now))


async def _again(tx: Transaction, asked: Refresh, held: HeldRefresh, now: int) -> TokenPair | Refusal:
    """Give the lost answer again; one that is narrowed otherwise is not the answer to this request (RFC 6749 §5.1)."""
    pair = await issuing.same_pair(tx, held, asked.text, now)
    if asked.scope and asked.scope != pair.scope:
        return refusals.invalid_scope("The token was refreshed just now, with another scope.", "scope of a repeat")
    return pair


async def _keep(tx: Transaction, traded: Sequence[_Trade], now: int) -> None:
    """Store the new pairs, use up the tokens that they were traded for, and record each trade."""
    await issuing.keep_pairs(tx, [trade.draft for trade in traded])
    await tokens.succeed_all(
        tx, [issuing.succession(trade.held, trade.asked.text, trade.draft) for trade in traded], now
    )
    await ledger.record_all(
        tx, [(trade.asked.actor, _refreshed(trade.held, trade.draft.pair)) for trade in traded], now
    )


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
