"""Carry out what a user decided about an app."""

from dataclasses import dataclass

from keybearer.server import ledger, refusals, secrets
from keybearer.server.activities import Activity, Actor
from keybearer.server.clock import HOUR
from keybearer.server.issuing import Mint, Terms
from keybearer.server.records import Authorization, Client, Code, Family, Grant, Team
from keybearer.server.refusals import Refusal
from keybearer.server.rules.redirect_uri import is_registered
from keybearer.server.store import authorizations, clients, codes, expiries, grants, memberships, teams, users
from keybearer.server.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Decision:
    """
    What the consent page posted.

    Args:
        text: names the request that was shown.
        session_id: of whoever posted it.
        team_id: the team to be reached; None when the user refuses.
    """

    text: str
    session_id: str
    user_id: int
    team_id: int | None


@dataclass(frozen=True, slots=True)
class Answered:
    """What the app is told, and where: exactly one of ``code`` and ``refusal`` is there."""

    redirect_uri: str
    state: str | None
    code: str | None
    refusal: Refusal | None


async def decide_consent(tx: Transaction, actor: Actor, decision: Decision, terms: Terms, now: int) -> Answered:
    """
    Let an app in or turn it away, once for each request that was shown.

    Args:
        now: microseconds since 1970 UTC.

    Raises:
        Refusal: ``not_waiting``: the request is unknown, decided, too old or another session's; ``forbidden``: the team
            is not one that this user can open to this app; ``invalid_request``: the app is gone, or was changed so that
            it takes no such request.

    Source: RFC 6749 §4.1.2, RFC 9700 §4.11 (what is shown is what is granted).
    """
    request = await authorizations.take(tx, secrets.digest(decision.text), decision.session_id, now)
    if request is None:
        raise _no_longer_waiting()
    client = await clients.lock(tx, request.client_id)
    if client is None:
        public = "This app was deleted in the meantime. Nothing was sent to it."
        raise refusals.invalid_request(public, "client deleted")
    if reason := await _no_longer_fits(tx, request, client):
        public = "This app was changed in the meantime. Nothing was sent to it. Go back to the app and start again."
        raise refusals.invalid_request(public, reason)
    if decision.team_id is None:
        await ledger.record(tx, actor, _denied(request, client, decision), now)
        refusal = Refusal("access_denied", "The user refused.", "denied on the consent page")
        return Answered(request.redirect_uri, request.state, None, refusal)
    team = await _openable(tx, client, decision.user_id, decision.team_id, now)
    wanted = Grant(
        secrets.record_id(now), decision.user_id, team.team_id, team.environment, client.client_id, None, now, None
    )
    code = await _let_in(tx, actor, request, wanted, terms, now)
    return Answered(request.redirect_uri, request.state, code, None)


async def _no_longer_fits(tx: Transaction, request: Authorization, client: Client) -> str:
    """Say what of a request its app does not take any more, such as an address that it lost; '' if it takes all."""
    uris = await clients.redirect_uris(tx, client.client_id)
    if not is_registered(request.redirect_uri, uris, client.kind):
        return "redirect_uri no longer registered"
    return "code_challenge required by now" if client.pkce == "required" and request.challenge is None else ""


async def _openable(tx: Transaction, client: Client, user_id: int, team_id: int, now: int) -> Team:
    """Return the team, if this user can act in it now and it is of the app's environment."""
    user = await users.by_user_id(tx, user_id)
    member = await memberships.lock_of_user(tx, team_id, user_id)
    team = await teams.by_team_id(tx, team_id)
    if user is None or user.disabled_at is not None:
        raise refusals.forbidden(f"user {user_id} is disabled")
    if member is None or member.role_at(now) is None:
        raise refusals.forbidden(f"user {user_id} is not in team {team_id}")
    if team is None or team.archived_at is not None or team.environment != client.environment:
        raise refusals.forbidden(f"team {team_id} is not open to client {client.client_id}")
    return team


async def _let_in(tx: Transaction, actor: Actor, request: Authorization, wanted: Grant, terms: Terms, now: int) -> str:
    """Keep the grant, the family that this consent starts and its code; return the code's text."""
    grant = await grants.ensure_of_app(tx, wanted)
    family = Family(
        family_id=secrets.record_id(now),
        grant_id=grant.grant_id,
        narrowing=request.narrowing,
        scope=request.scope,
        created_at=now,
        expires_at=now + terms.lifetimes.refresh_token,
        ended_at=None,
    )
    await grants.add_family(tx, family)
    text = Mint(terms.prefix, grant.environment).text("oac")
    await codes.add(tx, _code(text, request, family, now + terms.lifetimes.code))
    await expiries.watch(tx, grant.grant_id, 0, now + terms.lifetimes.code + HOUR)  # by then its tokens are there
    await ledger.record(tx, actor, ledger.grant_activity("grant.created", grant), now)
    return text


def _code(text: str, request: Authorization, family: Family, expires_at: int) -> Code:
    return Code(
        digest=secrets.digest(text),
        family_id=family.family_id,
        client_id=request.client_id,
        redirect_uri=request.redirect_uri,
        redirect_uri_sent=request.redirect_uri_sent,
        challenge=request.challenge,
        created_at=family.created_at,
        expires_at=expires_at,
        used_at=None,
    )


def _no_longer_waiting() -> Refusal:
    public = "This page is too old or was used already. Go back to the app and start again."
    return Refusal("not_waiting", public, "consent request unknown, decided, expired or another session's")


def _denied(request: Authorization, client: Client, decision: Decision) -> Activity:
    return Activity(
        "grant.denied",
        f"client:{request.client_id}",
        user_id=decision.user_id,
        environment=client.environment,
        client_id=request.client_id,
        outcome="refused",
    )
