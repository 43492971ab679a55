"""Whatever may turn a later yes into a no is told to the feed by the database itself, raw SQL included (S1, J6)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select, text

from keybearer.server.store.database import Database, Transaction
from keybearer.server.store.tables import feed
from keybearer.wire.feed import EVERYTHING, reach_of
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
RESOURCE_SERVER = (
    "INSERT INTO resource_servers (resource_server_id, name, name_key, environment, digest, last4, created_at)"
    " VALUES ('r1', 'API', 'api', 'sandbox', {digest}, 'abcd', 1)"
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
        RESOURCE_SERVER.format(digest=digest),
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


OTHERS = """
INSERT INTO users (user_id, email, email_key, name, password_hash, created_at, updated_at)
  VALUES (911, 'b@x.test', 'b@x.test', 'Ben', '-', 1, 1);
INSERT INTO grants (grant_id, user_id, team_id, environment, name, name_key, created_at)
  VALUES ('g2', 911, 902, 'sandbox', 'n', 'n', 1);
"""


@pytest.mark.parametrize(
    ("sql", "kind", "subject"),
    [
        ("UPDATE users SET disabled_at = 5 WHERE user_id = 901", "user.changed", "user:901"),
        ("UPDATE users SET cut_offs = cut_offs + 1", "user.changed", "user:901"),
        ("UPDATE teams SET archived_at = 5 WHERE team_id = 902", "team.changed", "team:902"),
        ("UPDATE memberships SET role = 'member'", "membership.changed", "membership:901:902"),
        ("UPDATE memberships SET role = NULL, left_at = 5", "membership.changed", "membership:901:902"),
        ("DELETE FROM memberships", "membership.deleted", "membership:901:902"),
        ("UPDATE clients SET deleted_at = 5", "client.changed", "client:appone"),
        ("UPDATE grants SET ended_at = 5", "grant.ended", "grant:g1:901:902"),
        ("UPDATE grants SET client_id = NULL, name = 'n', name_key = 'n'", "grant.changed", "grant:g1:901:902"),
        ("UPDATE families SET ended_at = 5", "family.ended", "family:f1:g1:901:902"),
        ("UPDATE families SET narrowing = 'scope', scope = 'team:read'", "family.changed", "family:f1:g1:901:902"),
        ("UPDATE tokens SET revoked_at = 5", "token.ended", "token:t1:g1:901:902"),
        ("UPDATE tokens SET expires_at = 5", "token.changed", "token:t1:g1:901:902"),
        ("DELETE FROM tokens", "token.deleted", "token:t1:g1:901:902"),
        ("UPDATE sessions SET ended_at = 5", "session.changed", "session:s1"),
        ("UPDATE resource_servers SET revoked_at = 5", "resource_server.ended", "resource_server:r1"),
        ("UPDATE resource_servers SET environment = 'live'", "resource_server.changed", "resource_server:r1"),
        ("DELETE FROM resource_servers", "resource_server.deleted", "resource_server:r1"),
        ("INSERT INTO policy (singleton, digest) VALUES (1, 'abc')", "policy.changed", "policy:abc"),
    ],
)
async def test_raw_sql_tells_the_feed(database: Database, database_url: str, sql: str, kind: str, subject: str) -> None:
    assert await _told_by(database, database_url, sql) == [(kind, subject)]


async def test_another_policy_is_told_and_concerns_everybody(database: Database, database_url: str) -> None:
    await execute(database_url, "INSERT INTO policy (singleton, digest) VALUES (1, 'abc')")
    told = await _told_by(database, database_url, "UPDATE policy SET digest = 'def'")
    assert told == [("policy.changed", "policy:def")]
    assert reach_of("policy:def") == EVERYTHING


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        pytest.param(
            "UPDATE grants SET user_id = 911 WHERE grant_id = 'g1'",
            [("grant.changed", "grant:g1:911:902"), ("grant.changed", "grant:g1:901:902")],
            id="a grant is another user's",
        ),
        pytest.param(
            "UPDATE tokens SET grant_id = 'g2'",
            [("token.changed", "token:t1:g2:911:902"), ("token.changed", "token:t1:g1:901:902")],
            id="a token hangs on another grant",
        ),
        pytest.param(
            "UPDATE tokens SET grant_id = 'g2', revoked_at = 5",
            [("token.ended", "token:t1:g2:911:902"), ("token.changed", "token:t1:g1:901:902")],
            id="a token hangs on another grant and ends",
        ),
        pytest.param(
            "UPDATE memberships SET user_id = 911",
            [("membership.changed", "membership:911:902"), ("membership.changed", "membership:901:902")],
            id="a membership is another user's",
        ),
        pytest.param("UPDATE sessions SET session_id = 's9'", [("session.changed", "session:s1")], id="another id"),
    ],
)
async def test_what_changes_hands_is_told_of_both(
    database: Database, database_url: str, sql: str, told: list[tuple[str, str]]
) -> None:
    await execute(database_url, *OTHERS.strip().split(";\n"))
    assert sorted(await _told_by(database, database_url, sql)) == sorted(told)


async def test_only_an_end_that_came_with_a_broader_event_is_not_told_by_itself(
    database: Database, database_url: str
) -> None:
    with_membership = "UPDATE grants SET ended_at = 5, ended_with = 'membership'"
    assert await _told_by(database, database_url, with_membership) == []
    revived = "UPDATE grants SET ended_at = NULL"
    assert await _told_by(database, database_url, revived) == [("grant.changed", "grant:g1:901:902")]
    assert await _told_by(database, database_url, "UPDATE grants SET ended_at = 6") == [
        ("grant.ended", "grant:g1:901:902")
    ]


async def test_a_change_that_hides_behind_a_broader_end_is_told(database: Database, database_url: str) -> None:
    sql = "UPDATE grants SET ended_at = 5, ended_with = 'user', client_id = NULL, name = 'n', name_key = 'n'"
    assert await _told_by(database, database_url, sql) == [("grant.ended", "grant:g1:901:902")]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("sql", "told"),
    [
        (
            (
                "REPLACE INTO users (user_id, email, email_key, name, password_hash, created_at, updated_at,"
                " disabled_at) VALUES (901, 'a@x.test', 'a@x.test', 'Ada', '-', 1, 1, 5)"
            ),
            ("user.changed", "user:901"),
        ),
        (
            (
                "INSERT OR REPLACE INTO tokens (token_id, digest, kind, last4, grant_id, family_id, pair_id, narrowing,"
                " scope, created_at, expires_at, revoked_at) SELECT token_id, digest, kind, last4, grant_id, family_id,"
                " pair_id, narrowing, scope, created_at, expires_at, 5 FROM tokens"
            ),
            ("token.changed", "token:t1:g1:901:902"),
        ),
    ],
    ids=["user", "token"],
)
async def test_a_row_that_is_replaced_is_told(
    database: Database, database_url: str, sql: str, told: tuple[str, str]
) -> None:
    assert await _told_by(database, database_url, sql) == [told]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("sql", "told"),
    [
        pytest.param(
            TOKEN.replace("INSERT", "INSERT OR REPLACE").replace("'t1'", "'t9'").format(digest=DIGESTS["sqlite"]),
            ("token.changed", "token:t1:g1:901:902"),
            id="a token of the same digest",
        ),
        pytest.param(
            RESOURCE_SERVER.replace("INSERT", "REPLACE").replace("'r1'", "'r9'").format(digest=f"X'{'cd' * 32}'"),
            ("resource_server.changed", "resource_server:r1"),
            id="a resource server of the same name",
        ),
        pytest.param(
            "PRAGMA foreign_keys = OFF; INSERT OR REPLACE INTO grants (grant_id, user_id, team_id, environment,"
            " client_id, created_at) VALUES ('g9', 901, 902, 'sandbox', 'appone', 1)",
            ("grant.changed", "grant:g1:901:902"),
            id="a grant of the same app",
        ),
        pytest.param(
            "PRAGMA foreign_keys = OFF; UPDATE OR REPLACE users SET email_key = 'a@x.test' WHERE user_id = 911",
            ("user.changed", "user:901"),
            id="a user whose address becomes another's",
        ),
    ],
)
async def test_a_row_that_is_replaced_by_one_of_another_key_is_told(
    database: Database, database_url: str, sql: str, told: tuple[str, str]
) -> None:
    await execute(database_url, *OTHERS.strip().split(";\n"))
    assert await _told_by(database, database_url, sql) == [told]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_token_whose_grant_is_lost_concerns_everybody(database: Database, database_url: str) -> None:
    await execute(database_url, "PRAGMA foreign_keys = OFF; DELETE FROM grants")
    (told,) = await _told_by(database, database_url, "PRAGMA foreign_keys = OFF; UPDATE tokens SET revoked_at = 5")
    assert told == ("token.ended", "token:t1::?")
    assert reach_of(told[1]) == EVERYTHING


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_emptying_a_table_concerns_everybody(database: Database, database_url: str) -> None:
    told = await _told_by(database, database_url, "TRUNCATE memberships")
    assert told == [("membership.deleted", "*")]
    assert reach_of("*") == EVERYTHING


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE users SET password_hash = 'other', operator_at = 5",
        "UPDATE resource_servers SET seen_at = 5, name = 'Other'",
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
