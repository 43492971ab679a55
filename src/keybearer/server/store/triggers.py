"""The triggers that write feed events, so that raw SQL tells the verifiers too (coherence.md, S1)."""

from dataclasses import dataclass
from typing import Final

_NOW = {
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)",
    "postgresql": "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
}
_DIFFERS = {"sqlite": "IS NOT", "postgresql": "IS DISTINCT FROM"}


@dataclass(frozen=True, slots=True)
class Watched:
    """
    A table whose changes may turn an accepted token into a refused one.

    Args:
        noun: the event's kind is ``<noun>.changed`` or ``<noun>.deleted``.
        subject: SQL parts, joined with ``:``; ``ROW`` stands for OLD or NEW.
        columns: the columns whose change matters.
        was_good: SQL on OLD that tells whether the deletion of a row matters; ``NOW`` stands for the time.
        tells_insert: whether a new row matters too.
    """

    table: str
    noun: str
    subject: tuple[str, ...]
    columns: tuple[str, ...]
    was_good: str = ""
    tells_insert: bool = False


WATCHED: Final = (
    Watched("users", "user", ("user_id",), ("disabled_at", "email", "name")),
    Watched("teams", "team", ("team_id",), ("archived_at", "environment")),
    Watched(
        "memberships",
        "membership",
        ("user_id", "team_id"),
        ("role", "expires_at", "user_id", "team_id"),
        tells_insert=True,
    ),
    Watched("clients", "client", ("client_id",), ("deleted_at", "team_id", "environment")),
    Watched("grants", "grant", ("grant_id",), ("ended_at", "user_id", "team_id", "client_id", "environment")),
    Watched("families", "family", ("family_id",), ("ended_at", "narrowing", "scope")),
    Watched(
        "tokens",
        "token",
        ("token_id",),
        ("revoked_at", "expires_at", "narrowing", "scope", "grant_id", "family_id", "digest", "kind"),
        was_good="OLD.revoked_at IS NULL AND OLD.expires_at > NOW AND OLD.kind <> 'ort'",
    ),
    Watched(
        "sessions", "session", ("session_id",), ("ended_at",), was_good="OLD.ended_at IS NULL AND OLD.expires_at > NOW"
    ),
)


def create_statements(dialect: str) -> list[str]:
    """Return the statements that create every trigger in *dialect* (``sqlite`` or ``postgresql``)."""
    return [statement for watched in WATCHED for statement in _triggers(watched, dialect)]


def _triggers(watched: Watched, dialect: str) -> list[str]:
    condition = " OR ".join(f"OLD.{column} {_DIFFERS[dialect]} NEW.{column}" for column in watched.columns)
    made = [
        _trigger(watched, dialect, "UPDATE", condition),
        _trigger(watched, dialect, "DELETE", watched.was_good.replace("NOW", _NOW[dialect])),
    ]
    if watched.tells_insert:
        made.append(_trigger(watched, dialect, "INSERT", ""))
    return [statement for statements in made for statement in statements]


def _trigger(watched: Watched, dialect: str, operation: str, condition: str) -> list[str]:
    """Return one trigger; PostgreSQL wants its body as a function of its own."""
    name = f"feed_{watched.table}_{operation.lower()}"
    row = "OLD" if operation == "DELETE" else "NEW"
    subject = " || ':' || ".join((f"'{watched.noun}'", *(f"{row}.{part}" for part in watched.subject)))
    kind = f"{watched.noun}.{'deleted' if operation == 'DELETE' else 'changed'}"
    body = f"INSERT INTO feed_pending (kind, subject, at) VALUES ('{kind}', {subject}, {_NOW[dialect]});"
    when = f" WHEN ({condition})" if condition else ""
    head = f"CREATE TRIGGER {name} AFTER {operation} ON {watched.table} FOR EACH ROW{when}"
    if dialect == "sqlite":
        return [f"{head} BEGIN {body} END"]
    return [
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$",
        f"{head} EXECUTE FUNCTION {name}()",
    ]
