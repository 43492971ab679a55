"""The triggers that write feed events, so that raw SQL tells the verifiers too (coherence.md, S1)."""

import re
from dataclasses import dataclass
from typing import Final

_NOW = {
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)",
    "postgresql": "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
}
_DIFFERS = {"sqlite": "IS NOT", "postgresql": "IS DISTINCT FROM"}
_LIVE_OF_USER: Final = "t.user_id = NEW.user_id AND t.team_id = NEW.team_id AND t.ended_at IS NULL"
_OF_GRANT: Final = "(SELECT g.user_id || ':' || g.team_id FROM grants AS g WHERE g.grant_id = ROW.grant_id)"


@dataclass(frozen=True, slots=True)
class Watched:
    """
    A table whose changes may turn an accepted token into a refused one.

    In SQL below, ``ROW`` stands for OLD or NEW, and ``NOW`` for the time.

    Args:
        noun: the event's kind is ``<noun>.changed``, ``<noun>.ended`` (for good) or ``<noun>.deleted``.
        key: the primary key.
        subject: SQL parts that are joined with ``:``. One that is NULL (a grant that is gone) makes the subject one
            that nobody can read, and so concerns everybody.
        columns: the columns whose change matters.
        uniques: SQL on NEW and a row ``t`` that tells, for each unique index beside the key's, that only one of the two
            can be there.
        ends: the one among them that, once set, ends the row for good; '' if none does.
        told_otherwise: SQL that tells when an end is part of a broader event of the same transaction.
        was_good: SQL on OLD that tells whether the deletion of a row matters.
        tells_insert: whether a new row matters too.
        tells_before: whether a row that changes its subject concerns whom it concerned before as well.
    """

    table: str
    noun: str
    key: str
    subject: tuple[str, ...]
    columns: tuple[str, ...]
    uniques: tuple[str, ...] = ()
    ends: str = ""
    told_otherwise: str = ""
    was_good: str = ""
    tells_insert: bool = False
    tells_before: bool = True


WATCHED: Final = (
    Watched(
        "users",
        "user",
        "user_id",
        ("ROW.user_id",),
        ("disabled_at", "email", "name", "cut_offs"),
        uniques=("t.email_key = NEW.email_key",),
    ),
    Watched(
        "teams",
        "team",
        "team_id",
        ("ROW.team_id",),
        ("archived_at", "environment"),
        uniques=("t.identifier = NEW.identifier", "t.uuid = NEW.uuid"),
    ),
    Watched(
        "memberships",
        "membership",
        "membership_id",
        ("ROW.user_id", "ROW.team_id"),
        ("role", "expires_at", "user_id", "team_id"),
        uniques=("t.team_id = NEW.team_id AND t.user_id = NEW.user_id",),
        tells_insert=True,
    ),
    Watched(
        "clients",
        "client",
        "client_id",
        ("ROW.client_id",),
        ("deleted_at", "team_id", "environment"),
        uniques=("t.team_id = NEW.team_id AND t.name_key = NEW.name_key AND t.deleted_at IS NULL",),
    ),
    Watched(
        "grants",
        "grant",
        "grant_id",
        ("ROW.grant_id", "ROW.user_id", "ROW.team_id"),
        ("ended_at", "user_id", "team_id", "client_id", "environment"),
        uniques=(  # an app that is let in once more meets the first: its tokens are looked up again, which is harmless
            f"{_LIVE_OF_USER} AND t.client_id = NEW.client_id AND t.client_id IS NOT NULL",
            f"{_LIVE_OF_USER} AND t.name_key = NEW.name_key AND t.client_id IS NULL",
        ),
        ends="ended_at",
        told_otherwise="OLD.ended_with IS NULL AND NEW.ended_with IS NOT NULL",
    ),
    Watched(
        "families",
        "family",
        "family_id",
        ("ROW.family_id", "ROW.grant_id", _OF_GRANT),
        ("ended_at", "narrowing", "scope", "grant_id"),
        ends="ended_at",
    ),
    Watched(
        "tokens",
        "token",
        "token_id",
        ("ROW.token_id", "ROW.grant_id", _OF_GRANT),
        ("revoked_at", "expires_at", "narrowing", "scope", "grant_id", "family_id", "digest", "kind"),
        uniques=("t.digest = NEW.digest",),
        ends="revoked_at",
        was_good="OLD.revoked_at IS NULL AND OLD.expires_at > NOW AND OLD.kind <> 'ort'",
    ),
    Watched(
        "sessions",
        "session",
        "session_id",
        ("ROW.session_id",),
        ("ended_at",),
        uniques=("t.digest = NEW.digest",),
        was_good="OLD.ended_at IS NULL AND OLD.expires_at > NOW",
    ),
    Watched(
        "resource_servers",
        "resource_server",
        "resource_server_id",
        ("ROW.resource_server_id",),
        ("revoked_at", "environment", "digest"),
        uniques=("t.digest = NEW.digest", "t.name_key = NEW.name_key AND t.revoked_at IS NULL"),
        ends="revoked_at",
        was_good="OLD.revoked_at IS NULL",
    ),
    Watched("policy", "policy", "singleton", ("ROW.digest",), ("digest",), tells_insert=True, tells_before=False),
)


def recreate_statements(dialect: str) -> list[str]:
    """
    Return the statements that replace all triggers by this version's.

    Only the newest migration that changes what is watched runs them: those before it made triggers that are gone.

    Args:
        dialect: ``sqlite`` or ``postgresql``.
    """
    return [statement for watched in WATCHED for statement in _triggers(watched, dialect)]


def _triggers(watched: Watched, dialect: str) -> list[str]:
    made = [
        *_trigger(watched, dialect, "UPDATE", _has_changed(watched, dialect), _told_by_update(watched)),
        *_trigger(watched, dialect, "DELETE", watched.was_good, _told(watched, "deleted", "OLD")),
    ]
    if watched.tells_before:
        made += _trigger(watched, dialect, "MOVE", _has_moved(watched, dialect), _told(watched, "changed", "OLD"))
    if watched.tells_insert:
        made += _trigger(watched, dialect, "INSERT", "", _told(watched, "changed", "NEW"))
    if dialect == "sqlite":  # OR REPLACE deletes the rows in the way without the triggers of a deletion
        made += _trigger(watched, dialect, "REPLACE", "", _told_of_replaced(watched))
        if watched.uniques:
            told = _told_of_replaced(watched, but=f"t.{watched.key} <> OLD.{watched.key} AND ")
            made += _trigger(watched, dialect, "DISPLACE", "", told)
    else:  # so does TRUNCATE; which rows it deleted is not known, so the event concerns everybody
        told = f"INSERT INTO feed_pending (kind, subject, at) VALUES ('{watched.noun}.deleted', '*', NOW);"
        made += _trigger(watched, dialect, "TRUNCATE", "", told)
    return made


def _told_of_replaced(watched: Watched, but: str = "") -> str:
    """Return what is told of the rows that NEW cannot stand beside; without REPLACE, the statement fails for them."""
    rules = " OR ".join(f"({rule})" for rule in (f"t.{watched.key} = NEW.{watched.key}", *watched.uniques))
    return _told(watched, "changed", "t", f" FROM {watched.table} AS t WHERE {but}({rules})")


def _unique_columns(watched: Watched) -> str:
    return ", ".join(sorted({watched.key, *re.findall(r"NEW\.(\w+)", " ".join(watched.uniques))}))


def _has_changed(watched: Watched, dialect: str) -> str:
    differ = {column: f"OLD.{column} {_DIFFERS[dialect]} NEW.{column}" for column in watched.columns}
    if watched.told_otherwise:
        differ[watched.ends] += f" AND NOT ({watched.told_otherwise})"
    return " OR ".join(f"({condition})" for condition in differ.values())


def _has_moved(watched: Watched, dialect: str) -> str:
    return " OR ".join(f"OLD.{column} {_DIFFERS[dialect]} NEW.{column}" for column in _subject_columns(watched))


def _subject_columns(watched: Watched) -> list[str]:
    return sorted(set(re.findall(r"ROW\.(\w+)", " ".join(watched.subject))))


def _told_by_update(watched: Watched) -> str:
    changed, ended = f"'{watched.noun}.changed'", f"'{watched.noun}.ended'"
    kind = f"CASE WHEN NEW.{watched.ends} IS NULL THEN {changed} ELSE {ended} END" if watched.ends else changed
    return _told_as(watched, kind, "NEW")


def _subject(watched: Watched, row: str) -> str:
    joined = " || ':' || ".join((f"'{watched.noun}'", *watched.subject))
    lost = f"'{watched.noun}:' || ROW.{watched.key} || '::?'"
    return f"coalesce({joined}, {lost})".replace("ROW.", f"{row}.")


def _told(watched: Watched, verb: str, row: str, rest: str = "") -> str:
    return _told_as(watched, f"'{watched.noun}.{verb}'", row, rest)


def _told_as(watched: Watched, kind: str, row: str, rest: str = "") -> str:
    return f"INSERT INTO feed_pending (kind, subject, at) SELECT {kind}, {_subject(watched, row)}, NOW{rest};"


def _trigger(watched: Watched, dialect: str, operation: str, condition: str, told: str) -> list[str]:
    """Return the statements for one trigger; PostgreSQL wants its body as a function of its own."""
    name = f"feed_{watched.table}_{operation.lower()}"
    body = told.replace("NOW", _NOW[dialect])
    when = f" WHEN ({condition.replace('NOW', _NOW[dialect])})" if condition else ""
    moment = {
        # A statement that names none of its columns, as a refresh token's use, carries no trigger along.
        "UPDATE": f"AFTER UPDATE OF {', '.join(watched.columns)}",
        "MOVE": f"AFTER UPDATE OF {', '.join(_subject_columns(watched))}",
        "REPLACE": "BEFORE INSERT",
        "DISPLACE": f"BEFORE UPDATE OF {_unique_columns(watched)}",
    }.get(operation, f"AFTER {operation}")
    each = "STATEMENT" if operation == "TRUNCATE" else "ROW"
    head = f"CREATE TRIGGER {name} {moment} ON {watched.table} FOR EACH {each}{when}"
    if dialect == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {name}", f"{head} BEGIN {body} END"]
    return [
        f"DROP TRIGGER IF EXISTS {name} ON {watched.table}",
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$",
        f"{head} EXECUTE FUNCTION {name}()",
    ]
