"""Somebody gave the right password: a session begins, under an id of its own."""

from dataclasses import dataclass

from keybearer.server import ledger, secrets
from keybearer.server.accounts.password_attempts import DEVICE_LIVES, device_digest, still_right
from keybearer.server.activities import Activity, Actor
from keybearer.server.records import PasswordAttempt, Session
from keybearer.server.store import devices, memberships, sessions, sign_in_attempts
from keybearer.server.store.database import Transaction


@dataclass(frozen=True, slots=True)
class NewSession:
    """
    The session that begins, and the browser it begins in.

    Args:
        digest: of the new session cookie.
        device: the device cookie's text, known or new.
        old_cookie: the session cookie that it had before; '' for none.
        expires_at: the session's absolute end, microseconds since 1970 UTC.
    """

    digest: bytes
    device: str
    old_cookie: str
    expires_at: int


async def sign_in(tx: Transaction, actor: Actor, attempt: PasswordAttempt, new: NewSession, now: int) -> Session:
    """
    Begin a session for the user of *attempt*, whose password was found right outside this transaction.

    The session that this browser had ends; the failures counted for it are forgotten; the device is known from now on.
    The active team is the one that the user worked in last, else their first in the sandbox, else their first.

    Raises:
        Refusal: ``unauthenticated``: the password was changed meanwhile; ``forbidden``: the user is disabled.
    """
    user = await still_right(tx, attempt)
    await sign_in_attempts.forget(tx, attempt.email_digest, attempt.device_digest)
    if new.old_cookie:
        await sessions.end_cookie(tx, secrets.digest(new.old_cookie), now)
    known = device_digest(user.user_id, new.device)
    await devices.remember(tx, known, user.user_id, now, now + DEVICE_LIVES)
    session = Session(
        session_id=secrets.record_id(now),
        user_id=user.user_id,
        team_id=await _team_to_begin_with(tx, user.user_id, now),
        user_agent=actor.agent,
        address=actor.address,
        created_at=now,
        authenticated_at=now,
        seen_at=now,
        expires_at=new.expires_at,
        ended_at=None,
    )
    await sessions.add(tx, session, new.digest)
    started = Activity("session.started", f"session:{session.session_id}", user_id=user.user_id)
    await ledger.record(tx, actor, started, now)
    return session


async def _team_to_begin_with(tx: Transaction, user_id: int, now: int) -> int | None:
    teams = [place.team for place in await memberships.places_of(tx, user_id, now)]
    last = await sessions.last_team_of(tx, user_id)
    ranked = sorted(teams, key=lambda team: (team.team_id != last, team.environment != "sandbox", team.team_id))
    return ranked[0].team_id if ranked else None
