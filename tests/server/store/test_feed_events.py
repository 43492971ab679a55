"""Whatever may turn a later yes into a no is told to the feed by the database itself, raw SQL included (S1, J6)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select, text

from keybearer.server.store.database import Database, Transaction
from keybearer.server.store.tables import feed
from tests.server.store.trial import assert_chained, execute, opened

SCENE = """
INSERT INTO users (user_id, email, email_key, name, password_hash, created_at, updated_at)
  VALUES (901, 'a@x.test', 'a@x.test', 'Ada', '-', 1, 1);
INSERT INTO teams (team_id, identifier, uuid, name, environment, contact, tier, created_at, updated_at)
  VALUES (902, 'acme', 'u', 'Acme', 'sandbox', 'a@x.test', 'free', 1, 1);
INSERT INTO clients (client_id, team_id, environment, name, name_key, kind, pkce, created_by, created_at, updated_at)
  VALUES ('appone', 902, 'sandbox', 'App', 'app', 'confidential', 'optional', 901, 1, 1);
INSERT INTO grants (grant_id, user_id, team_id, environment, client_id, created_at)
  VALUES ('g1', 901, 902, 'sandbox', 'appone', 1);
INSERT INTO families (family_id, grant_id, narrowing, scope, created_at, expires_at)
  VALUES ('f1', 'g1', 'none', '', 1, 9);
"""
TOKEN = (
    "INSERT INTO tokens (token_id, digest, kind, last4, grant_id, family_id, pair_id, narrowing, scope, created_at,"
    " expires_at) VALUES ('t1', {digest}, 'oat', 'abcd', 'g1', 'f1', 'p1', 'none', '', 1, 4102444800000000)"
)
SESSION = (
    "INSERT INTO sessions (session_id, digest, user_id, user_agent, address, created_at, authenticated_at, seen_at,"
    " expires_at) VALUES ('s1', {digest}, 901, '', '', 1, 1, 1, 9)"
)
MEMBERSHIP = "INSERT INTO memberships (team_id, user_id, role, joined_at) VALUES (902, 901, 'owner', 1)"
DIGESTS = {"sqlite": f"X'{'ab' * 32}'", "postgresql": f"'\\x{'ab' * 32}'::bytea"}
EVENTS = select(feed).order_by(feed.c.seq)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    digest = DIGESTS[database_url.partition(":")[0]]
    for statement in (
        *SCENE.strip().split(";\n"),
        TOKEN.format(digest=digest),
        SESSION.format(digest=digest),
        MEMBERSHIP,
    ):
        await execute(database_url, statement)
    async with opened(database_url) as running:
        yield running


async def _told_by(database: Database, url: str, sql: str) -> list[tuple[str, str]]:
    """Return kind and subject of the events that this raw SQL caused."""
    await database.number_stray_events()
    _, before = await database.position()
    await execute(url, sql)
    await database.number_stray_events()
    return [(row["kind"], row["subject"]) for row in await database.many(EVENTS) if row["seq"] > before]


@pytest.mark.parametrize(
    ("sql", "kind", "subject"),
    [
        ("UPDATE users SET disabled_at = 5 WHERE user_id = 901", "user.changed", "user:901"),
        ("UPDATE teams SET archived_at = 5 WHERE team_id = 902", "team.changed", "team:902"),
        ("UPDATE memberships SET role = 'member'", "membership.changed", "membership:901:902"),
        ("UPDATE memberships SET role = NULL, left_at = 5", "membership.changed", "membership:901:902"),
        ("DELETE FROM memberships", "membership.deleted", "membership:901:902"),
        ("UPDATE clients SET deleted_at = 5", "client.changed", "client:appone"),
        ("UPDATE grants SET ended_at = 5", "grant.changed", "grant:g1"),
        ("UPDATE families SET ended_at = 5", "family.changed", "family:f1"),
        ("UPDATE families SET narrowing = 'scope', scope = 'team:read'", "family.changed", "family:f1"),
        ("UPDATE tokens SET revoked_at = 5", "token.changed", "token:t1"),
        ("UPDATE tokens SET expires_at = 5", "token.changed", "token:t1"),
        ("DELETE FROM tokens", "token.deleted", "token:t1"),
        ("UPDATE sessions SET ended_at = 5", "session.changed", "session:s1"),
    ],
)
async def test_raw_sql_tells_the_feed(database: Database, database_url: str, sql: str, kind: str, subject: str) -> None:
    assert await _told_by(database, database_url, sql) == [(kind, subject)]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE users SET password_hash = 'other'",
        "UPDATE teams SET telephone = '1'",
        "UPDATE clients SET name = 'Other'",
        "UPDATE tokens SET last_used_at = 5",
        "UPDATE sessions SET seen_at = 5",
        "UPDATE users SET disabled_at = disabled_at",
    ],
)
async def test_what_changes_no_decision_is_not_told(database: Database, database_url: str, sql: str) -> None:
    assert await _told_by(database, database_url, sql) == []


async def test_a_change_and_its_event_are_kept_together_or_not_at_all(database: Database, database_url: str) -> None:
    async def disable_and_fail(tx: Transaction) -> None:
        await tx.run(text("UPDATE users SET disabled_at = 5 WHERE user_id = 901"))
        raise LookupError

    before = await database.number_stray_events()
    with pytest.raises(LookupError):
        await database.transact(disable_and_fail)
    assert await database.position() == before
    assert await _told_by(database, database_url, "UPDATE users SET disabled_at = 6") == [("user.changed", "user:901")]


async def test_numbers_have_no_gaps_and_every_event_is_chained_to_the_one_before(
    database: Database, database_url: str
) -> None:
    for at in range(5, 10):
        await execute(database_url, f"UPDATE users SET disabled_at = {at}")  # noqa: S608 - our own numbers
    await database.number_stray_events()
    rows: list[Any] = await database.many(EVENTS)
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert_chained(rows)
