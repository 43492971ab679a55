"""Make a personal access token."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from keybearer.server import issuing, ledger, refusals, secrets
from keybearer.server.activities import Activity, Actor
from keybearer.server.issuing import Anchor, Mint
from keybearer.server.records import Grant, Team
from keybearer.server.refusals import Refusal, attempt
from keybearer.server.rules.expiry_notices import next_look
from keybearer.server.rules.lifetimes import end_of
from keybearer.server.rules.names import MAX_TOKEN_NAME, clean_name, name_key
from keybearer.server.rules.narrowing import chosen_narrowing
from keybearer.server.store import expiries, grants, memberships, teams
from keybearer.server.store.database import Transaction
from keybearer.server.store.faults import Conflict

_MOST_TOKENS: Final = 100  # of a user in a team: all of them stand on one page


@dataclass(frozen=True, slots=True)
class AskedToken:
    """
    What a person typed and chose.

    Args:
        team_id: the team that was active when the form was filled in.
        lifetime: a preset's choice, ``custom``, or '' for the longest.
        expires_on: for ``custom``, the day as ``YYYY-MM-DD``.
        narrowing: ``none`` or ``scope``; '' is ``none``.
        permissions: the names that were ticked.
    """

    user_id: int
    team_id: int
    name: str
    lifetime: str
    expires_on: str
    narrowing: str
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """
    What the operator lets a personal token be.

    Args:
        prefix: the provider's own.
        longest: microseconds.
    """

    prefix: str
    longest: int
    role_permissions: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class NewToken:
    """A personal token just made, with its text, which is shown once and kept nowhere."""

    grant: Grant
    text: str
    team: Team
    expires_at: int
    narrowing: str
    scope: str


@dataclass(frozen=True, slots=True)
class _Judged:
    name: str
    expires_at: int
    narrowing: str
    scope: str


async def create_personal_token(
    tx: Transaction, actor: Actor, asked: AskedToken, policy: TokenPolicy, now: int
) -> NewToken:
    """
    Make a token that acts as this user in this team, as far as their role goes.

    Args:
        now: microseconds since 1970 UTC.

    Raises:
        Refusal: ``invalid``: a field is wrong, all wrong ones named, or there is a token of that name, or no room for
            another; ``forbidden``: the user has no role in the team.
    """
    member = await memberships.lock_of_user(tx, asked.team_id, asked.user_id)
    role = member.role_at(now) if member else None
    team = await teams.by_team_id(tx, asked.team_id)
    if role is None or team is None or team.archived_at is not None:
        raise refusals.forbidden(f"user {asked.user_id} has no role in team {asked.team_id}")
    judged = _judge(asked, policy, role, now)
    grant = Grant(secrets.record_id(now), asked.user_id, team.team_id, team.environment, None, judged.name, now, None)
    await _keep(tx, grant, now)
    text = Mint(policy.prefix, team.environment).text("pat")
    anchor = Anchor(grant.grant_id, None, None, judged.narrowing, judged.scope)
    token_id = await issuing.keep_token(tx, text, anchor, now, judged.expires_at)
    await expiries.watch(tx, grant.grant_id, judged.expires_at, next_look(judged.expires_at, now) or judged.expires_at)
    await ledger.record(tx, actor, _activity(grant, token_id, text[-4:]), now)
    return NewToken(grant, text, team, judged.expires_at, judged.narrowing, judged.scope)


async def _keep(tx: Transaction, grant: Grant, now: int) -> None:
    """Keep the grant; the caller holds the lock of the user's place in the team, so that the count is right."""
    assert grant.name is not None  # noqa: S101 - a personal token has one
    key = name_key(grant.name)
    await grants.free_name(tx, grant.user_id, grant.team_id, key, now)
    if await grants.count_personal(tx, grant.user_id, grant.team_id) >= _MOST_TOKENS:
        raise refusals.invalid("", f"You have {_MOST_TOKENS} tokens in this team, and no more fit. Delete one first.")
    try:
        await grants.add(tx, grant, key)
    except Conflict as error:
        public = "You already have a token of this name in this team. Choose another name, or delete that token first."
        raise refusals.invalid("name", public) from error


def _judge(asked: AskedToken, policy: TokenPolicy, role: str, now: int) -> _Judged:
    """Judge every field, so that a person mends them in one go."""
    wrong: list[Refusal] = []
    allowed = policy.role_permissions[role]
    name = attempt(wrong, lambda: clean_name(asked.name, MAX_TOKEN_NAME))
    expires_at = attempt(wrong, lambda: end_of(asked.lifetime, asked.expires_on, now, policy.longest))
    narrowed = attempt(wrong, lambda: chosen_narrowing(asked.narrowing, asked.permissions, allowed))
    if name is None or expires_at is None or narrowed is None:
        raise refusals.all_invalid(wrong)
    return _Judged(name, expires_at, *narrowed)


def _activity(grant: Grant, token_id: str, last4: str) -> Activity:
    return Activity(
        "token.created",
        f"token:{token_id}",
        user_id=grant.user_id,
        team_id=grant.team_id,
        environment=grant.environment,
        grant_id=grant.grant_id,
        token_id=token_id,
        token_last4=last4,
    )
