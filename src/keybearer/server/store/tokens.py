"""Tokens, known by the digest of their text."""

from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.sql import Select

from keybearer.server.records import HeldRefresh, HeldToken, IssuedAccess, Succession
from keybearer.server.store.database import Reader, Row, Transaction
from keybearer.server.store.tables import (
    clients,
    families,
    feed_head,
    grants,
    memberships,
    policy,
    teams,
    tokens,
    users,
)
from keybearer.server.store.whole_grants import ENDED_AT, STANDING, with_whole_grant
from keybearer.verify.decide import TokenRecord

_successors = tokens.alias("successors")
_used = tokens.alias("used")


def _joined_to_grant(columns: Select[tuple[object, ...]]) -> Select[tuple[object, ...]]:
    """Join a token to its family and its whole grant: one row, one snapshot."""
    whole = with_whole_grant(tokens, tokens.c.grant_id)
    return columns.select_from(whole.outerjoin(families, families.c.family_id == tokens.c.family_id))


_RECORD = _joined_to_grant(
    select(
        tokens.c.token_id,
        tokens.c.kind,
        tokens.c.last4,
        tokens.c.narrowing,
        tokens.c.scope,
        tokens.c.created_at,
        tokens.c.expires_at,
        tokens.c.revoked_at,
        grants.c.grant_id,
        grants.c.ended_at.label("grant_ended_at"),
        grants.c.client_id,
        clients.c.deleted_at.label("client_deleted_at"),
        tokens.c.family_id,
        families.c.ended_at.label("family_ended_at"),
        grants.c.environment,
        grants.c.user_id,
        users.c.name.label("user_name"),
        users.c.email.label("user_email"),
        grants.c.team_id,
        memberships.c.membership_id,
        *STANDING,
    )
).where(tokens.c.digest == bindparam("digest"))

# One statement is one snapshot: what the feed tells after this position is not in the record yet, all before it is.
_RECORD_AND_POSITION = _RECORD.add_columns(
    feed_head.c.epoch.label("feed_epoch"),
    feed_head.c.seq.label("feed_seq"),
    select(policy.c.digest).scalar_subquery().label("policy"),
).join(feed_head, feed_head.c.singleton == 1)

_PARTICULARS = (
    _joined_to_grant(
        select(
            func.coalesce(grants.c.name, clients.c.name).label("name"),
            tokens.c.created_at,
            tokens.c.last_used_at,
            teams.c.identifier.label("team_identifier"),
            teams.c.name.label("team_name"),
        )
    )
).where(tokens.c.token_id == bindparam("token_id"))

_HELD_REFRESH = (
    _joined_to_grant(
        select(
            tokens.c.digest,
            tokens.c.token_id,
            tokens.c.grant_id,
            tokens.c.family_id,
            tokens.c.pair_id,
            tokens.c.narrowing,
            tokens.c.scope,
            tokens.c.expires_at,
            tokens.c.revoked_at,
            tokens.c.used_at,
            tokens.c.successor_pair_id,
            tokens.c.sealed_successor,
            grants.c.client_id,
            grants.c.environment,
            grants.c.user_id,
            grants.c.team_id,
            ENDED_AT.label("grant_ended_at"),
            families.c.ended_at.label("family_ended_at"),
            families.c.expires_at.label("family_expires_at"),
            *STANDING,
            select(_successors.c.used_at)
            .where(_successors.c.pair_id == tokens.c.successor_pair_id, _successors.c.kind == "ort")
            .scalar_subquery()
            .label("successor_used_at"),
        )
    )
    .where(tokens.c.digest.in_(bindparam("digests", expanding=True)), tokens.c.kind == "ort")
    .order_by(tokens.c.digest)  # whoever locks several locks them in this order, so that nobody waits in a circle
)
_LOCK_REFRESHES = _HELD_REFRESH.with_for_update(of=tokens)
_LOCK_FREE_REFRESHES = _HELD_REFRESH.with_for_update(of=tokens, skip_locked=True)

_ACCESS_OF_PAIR = select(tokens.c.token_id, tokens.c.narrowing, tokens.c.scope, tokens.c.expires_at).where(
    tokens.c.pair_id == bindparam("pair_id"), tokens.c.kind == "oat"
)
_WITH_OWNER = select(
    tokens.c.token_id,
    tokens.c.kind,
    tokens.c.last4,
    tokens.c.family_id,
    grants.c.grant_id,
    grants.c.client_id,
    grants.c.user_id,
    grants.c.team_id,
    grants.c.environment,
).join(grants, grants.c.grant_id == tokens.c.grant_id)
_HELD = _WITH_OWNER.where(tokens.c.digest == bindparam("digest"))
_HELD_AMONG = _WITH_OWNER.where(tokens.c.token_id.in_(bindparam("token_ids", expanding=True)))
_ADD = insert(tokens)
_CONSUME = (
    update(tokens)
    .where(tokens.c.token_id == bindparam("the_token"), tokens.c.used_at.is_(None))
    .values(
        used_at=bindparam("now"),
        successor_pair_id=bindparam("successor_pair_id"),
        sealed_successor=bindparam("sealed_successor"),
    )
)
_REVOKE = (
    update(tokens)
    .where(tokens.c.token_id == bindparam("the_token"), tokens.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)
_REVOKE_ACCESS_OF_PAIRS = (
    update(tokens)
    .where(
        tokens.c.pair_id.in_(bindparam("pairs", expanding=True)), tokens.c.kind == "oat", tokens.c.revoked_at.is_(None)
    )
    .values(revoked_at=bindparam("now"))
)
_NOTE_USE = (
    update(tokens)
    .where(
        tokens.c.token_id
        == select(_used.c.token_id)
        .where(
            _used.c.token_id == bindparam("the_token"),
            func.coalesce(_used.c.last_used_at, 0) < bindparam("the_time"),  # another node may know of a later use
        )
        .with_for_update(skip_locked=True, key_share=True)
        .scalar_subquery()
    )
    .values(last_used_at=bindparam("the_time"))
)


async def record_of(reader: Reader, digest: bytes) -> TokenRecord | None:
    """
    Return everything a decision about the token rests on, as one snapshot; None for an unknown digest.

    Args:
        digest: SHA-256 of the token's whole text, 32 bytes.
    """
    row = await reader.one(_RECORD, digest=digest)
    return TokenRecord(**row) if row else None


async def record_as_of(reader: Reader, digest: bytes) -> tuple[TokenRecord, str, int, str | None] | None:
    """
    Return what `record_of` does, with the feed's epoch and newest number, and the policy, in the same snapshot.

    Source: coherence.md 5.3, V5.
    """
    row = await reader.one(_RECORD_AND_POSITION, digest=digest)
    if row is None:
        return None
    record = {name: value for name, value in row.items() if name not in {"feed_epoch", "feed_seq", "policy"}}
    return TokenRecord(**record), row["feed_epoch"], row["feed_seq"], row["policy"]


async def particulars(reader: Reader, token_id: str) -> Row | None:
    """Return the token's name (or its app's), last use, and its team's identifier and name; None if it is gone."""
    return await reader.one(_PARTICULARS, token_id=token_id)


async def lock_refreshes(tx: Transaction, digests: Sequence[bytes], *, waiting: bool) -> dict[bytes, HeldRefresh]:
    """
    Return refresh tokens by digest, and let no other refresh of them proceed until this transaction ends.

    Args:
        waiting: whether to wait for those that another transaction has locked; else they are left out.

    Source: RFC 9700 §4.14.2 (a refresh token is used once).
    """
    statement = _LOCK_REFRESHES if waiting else _LOCK_FREE_REFRESHES
    return {row["digest"]: HeldRefresh(**row) for row in await tx.many(statement, digests=digests)}


async def held_refresh(reader: Reader, digest: bytes) -> HeldRefresh | None:
    """Return the refresh token of this digest as it stands; None if there is none."""
    row = await reader.one(_HELD_REFRESH, digests=[digest])
    return HeldRefresh(**row) if row else None


async def access_of_pair(reader: Reader, pair_id: str) -> IssuedAccess:
    """Return the access token of this pair, which must exist."""
    row = await reader.one(_ACCESS_OF_PAIR, pair_id=pair_id)
    assert row is not None  # noqa: S101 - both tokens of a pair are written and pruned together
    return IssuedAccess(**row)


async def held(reader: Reader, digest: bytes) -> HeldToken | None:
    """Return the token of this digest with whose it is, whatever its state; None if there is none."""
    row = await reader.one(_HELD, digest=digest)
    return HeldToken(**row) if row else None


async def held_among(reader: Reader, token_ids: Sequence[str]) -> dict[str, HeldToken]:
    """Return those of these tokens that there are, whatever their state, by their id."""
    return {row["token_id"]: HeldToken(**row) for row in await reader.many(_HELD_AMONG, token_ids=token_ids)}


async def add_all(tx: Transaction, rows: Sequence[Mapping[str, object]]) -> None:
    """Keep new tokens; *rows* are the columns from ``issuing``."""
    await tx.run_all(_ADD, rows)


async def succeed_all(tx: Transaction, succeeded: Sequence[Succession], now: int) -> None:
    """Use up refresh tokens that this transaction has locked, and revoke the access tokens given together with them."""
    consumed = [
        {
            "the_token": one.token_id,
            "now": now,
            "successor_pair_id": one.successor_pair_id,
            "sealed_successor": one.sealed_successor,
        }
        for one in succeeded
    ]
    await tx.run_all(_CONSUME, consumed)
    if succeeded:
        await tx.run(_REVOKE_ACCESS_OF_PAIRS, pairs=[one.pair_id for one in succeeded], now=now)


async def revoke(tx: Transaction, token_id: str, now: int) -> bool:
    """Revoke one token; False if it was revoked already."""
    return await tx.run(_REVOKE, the_token=token_id, now=now) == 1


async def note_uses(tx: Transaction, uses: Mapping[str, int]) -> None:
    """
    Keep when tokens were last used: microseconds since 1970 UTC, by token id.

    A token that another transaction has locked is left out: this one locks many, for which a refresh of several may
    wait, and PostgreSQL ends a deadlock only after a second. Such a token is being ended, or another node writes its
    use.
    """
    await tx.run_all(_NOTE_USE, [{"the_token": token_id, "the_time": at} for token_id, at in uses.items()])
