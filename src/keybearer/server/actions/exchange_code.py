"""Trade an authorization code for the first pair of tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

from keybearer.server import issuing, ledger, refusals, secrets
from keybearer.server.activities import Activity, Actor
from keybearer.server.issuing import Draft, Terms, TokenPair
from keybearer.server.records import Code, FamilyStanding
from keybearer.server.refusals import Refusal
from keybearer.server.rules import pkce
from keybearer.server.rules.suspension import suspension_of
from keybearer.server.store import codes, grants
from keybearer.server.store.database import Transaction
from keybearer.wire import token_text


@dataclass(frozen=True, slots=True)
class Exchange:
    """A code as an authenticated client presents it; None for a parameter that was not sent."""

    actor: Actor
    client_id: str
    text: str
    redirect_uri: str | None
    verifier: str | None


async def exchange_code(
    tx: Transaction, asked: Sequence[Exchange], terms: Terms, now: int, *, is_alone: bool
) -> list[TokenPair | Refusal | None]:
    """
    Trade codes for tokens, each once: those that several clients present at one moment share a transaction.

    Whose it is comes before every punishment, so that a stranger who holds the text of a code can neither use it up nor
    end what it gave. After that, a wrong redirect URI or verifier uses the code up (one guess each), and a second use
    ends all that the first one gave. Every refusal is *returned*, so that it hinders none of the others.

    Args:
        is_alone: whether to wait for another transaction that has its hand on a code.

    Returns:
        An outcome for each of *asked*: its pair, or ``invalid_grant``. None for one that must be asked again, alone:
        it is unknown, or another of *asked* or another transaction has its hand on it.

    Source: RFC 6749 §4.1.2, §4.1.3, §10.5; RFC 7636 §4.6; RFC 9700 §2.1.1, §4.8.2.
    """
    digests = [secrets.digest(one.text) if token_text.kind_of(one.text) == "oac" else None for one in asked]
    held = await _lock(tx, [digest for digest in digests if digest], waiting=is_alone)
    outcomes: list[TokenPair | Refusal | None] = []
    trades: list[_Trade] = []
    for one, digest in zip(asked, digests, strict=True):
        if digest is None:
            outcomes.append(refusals.invalid_grant("not a code"))
            continue
        found = held.pop(digest, None)
        if found is None and not is_alone:
            outcomes.append(None)
            continue
        outcome = await _judged(tx, one, found, terms, now)
        if isinstance(outcome, _Trade):
            trades.append(outcome)
            outcomes.append(outcome.draft.pair)
        else:
            outcomes.append(outcome)
    await _keep(tx, trades, now)
    return outcomes


@dataclass(frozen=True, slots=True)
class _Held:
    code: Code
    family: FamilyStanding


@dataclass(frozen=True, slots=True)
class _Trade:
    asked: Exchange
    held: _Held
    draft: Draft


async def _lock(tx: Transaction, digests: Sequence[bytes], *, waiting: bool) -> dict[bytes, _Held]:
    """Return what is known of each code, by digest, and let nobody else use it until this transaction ends."""
    found = await codes.lock_all(tx, digests, waiting=waiting)
    families = await grants.standings(tx, [code.family_id for code in found.values()])
    return {digest: _Held(code, families[code.family_id]) for digest, code in found.items()}


async def _judged(tx: Transaction, asked: Exchange, held: _Held | None, terms: Terms, now: int) -> _Trade | Refusal:
    """Say what comes of one code; what a refusal leaves behind is written already."""
    if asked.verifier is not None and not pkce.is_verifier(asked.verifier):
        return refusals.invalid_grant("code_verifier malformed")
    if held is None:
        return refusals.invalid_grant("unknown code")
    if held.code.client_id != asked.client_id:
        return refusals.invalid_grant("another client's code")
    if held.code.used_at is not None:
        if await grants.end_family(tx, held.family.family_id, now):
            await ledger.record(tx, asked.actor, _replayed(held.family, asked.client_id), now)
        return refusals.invalid_grant("code replayed")
    if held.code.expires_at <= now:
        return refusals.invalid_grant("code expired")
    if reason := _mismatch(held.code, asked):
        await codes.use_all(tx, [held.code.digest], now)
        return refusals.invalid_grant(reason)
    if reason := _nobody_acts(held.family, now):
        return refusals.invalid_grant(reason)
    return _Trade(asked, held, issuing.first_pair(held.family, terms, now))


async def _keep(tx: Transaction, trades: Sequence[_Trade], now: int) -> None:
    """Use up the codes, store the pairs that they were traded for, and record each trade."""
    await codes.use_all(tx, [trade.held.code.digest for trade in trades], now)
    await issuing.keep_pairs(tx, [trade.draft for trade in trades])
    await ledger.record_all(tx, [(trade.asked.actor, _issued(trade)) for trade in trades], now)


def _mismatch(code: Code, presented: Exchange) -> str:
    """Say what of the exchange does not fit the request that the code was given for; '' if all does."""
    if presented.redirect_uri is None and code.redirect_uri_sent == "yes":
        return "redirect_uri missing"
    if presented.redirect_uri not in {None, code.redirect_uri}:
        return "redirect_uri differs"
    if code.challenge is None:
        return "code_verifier without a challenge" if presented.verifier is not None else ""
    if presented.verifier is None:
        return "code_verifier missing"
    return "" if pkce.verifier_matches(presented.verifier, code.challenge) else "code_verifier wrong"


def _nobody_acts(family: FamilyStanding, now: int) -> str:
    """Say what keeps everybody from acting by this family now; '' if nothing does."""
    if family.ended_at is not None or family.expires_at <= now:
        return "family ended"
    if family.grant_ended_at is not None:
        return "grant ended"
    return suspension_of(family, now)


def _issued(trade: _Trade) -> Activity:
    family, pair = trade.held.family, trade.draft.pair
    return Activity(
        "token.issued",
        f"token:{pair.access_id}",
        user_id=family.user_id,
        team_id=family.team_id,
        environment=family.environment,
        client_id=trade.asked.client_id,
        grant_id=family.grant_id,
        token_id=pair.access_id,
        token_last4=pair.access_text[-4:],
    )


def _replayed(family: FamilyStanding, client_id: str) -> Activity:
    return Activity(
        "code.replayed",
        f"family:{family.family_id}",
        user_id=family.user_id,
        team_id=family.team_id,
        environment=family.environment,
        client_id=client_id,
        grant_id=family.grant_id,
        outcome="refused",
    )
