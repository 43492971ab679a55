"""Where people are kept: one SQLite file, in which nobody sees past their own team and environment."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from keybearer import Principal
from people_api.shapes import ChangedPerson, NewPerson, Person, User

_TABLE = """
CREATE TABLE IF NOT EXISTS people (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    environment TEXT NOT NULL,
    team_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    email TEXT,
    assigned_to INTEGER,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
    created_by INTEGER NOT NULL,
    created_by_name TEXT NOT NULL,
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
    updated_by INTEGER NOT NULL,
    updated_by_name TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS people_of_a_team ON people (environment, team_id);
"""
# What a caller reaches. Only the API knows what is assigned to whom, so it has to limit the role assigned-only itself.
_REACHED = """environment = :environment AND team_id = :team_id
    AND (:role <> 'assigned-only' OR assigned_to = :user_id)"""
_ADD = """
INSERT INTO people (environment, team_id, name, email, assigned_to,
    created_by, created_by_name, updated_by, updated_by_name)
VALUES (:environment, :team_id, :name, :email, :assigned_to, :user_id, :user_name, :user_id, :user_name)
RETURNING *"""
_PAGE = f"SELECT * FROM people WHERE {_REACHED} ORDER BY name COLLATE NOCASE, id LIMIT :limit OFFSET :offset"
_COUNT = f"SELECT count(*) AS total FROM people WHERE {_REACHED}"
_ONE = f"SELECT * FROM people WHERE id = :id AND {_REACHED}"
_CHANGE = f"""
UPDATE people SET
    name = iif(:has_name, :name, name),
    email = iif(:has_email, :email, email),
    assigned_to = iif(:has_assigned_to, :assigned_to, assigned_to),
    updated_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now'),
    updated_by = :user_id,
    updated_by_name = :user_name
WHERE id = :id AND {_REACHED}
RETURNING *"""
_DELETE = f"DELETE FROM people WHERE id = :id AND {_REACHED} RETURNING *"


class Store:
    """
    The people of every team.

    Every method takes who acts, and reaches what they reach.

    Args:
        file: made if it is not there.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        with self._open() as database:
            database.executescript(_TABLE)

    def page(self, caller: Principal, limit: int, offset: int) -> tuple[list[Person], int]:
        """Return some of the people, by name, and how many there are in all."""
        with self._open() as database:
            database.execute("BEGIN")  # so that page and total are of the same moment
            rows = database.execute(_PAGE, {**_who(caller), "limit": limit, "offset": offset}).fetchall()
            total = database.execute(_COUNT, _who(caller)).fetchone()["total"]
        return [_person(row) for row in rows], total

    def one(self, caller: Principal, person_id: int) -> Person | None:
        """Return a person; None if the caller reaches none of this id."""
        return self._first(_ONE, {**_who(caller), "id": person_id})

    def add(self, caller: Principal, person: NewPerson) -> Person:
        """Add a person to the caller's team."""
        added = self._first(_ADD, {**_who(caller), **person.model_dump()})
        assert added is not None
        return added

    def change(self, caller: Principal, person_id: int, change: ChangedPerson) -> Person | None:
        """Change what *change* names; None if the caller reaches no person of this id."""
        named = {f"has_{field}": field in change.model_fields_set for field in ChangedPerson.model_fields}
        return self._first(_CHANGE, {**_who(caller), **change.model_dump(), **named, "id": person_id})

    def delete(self, caller: Principal, person_id: int) -> Person | None:
        """Delete a person and return who that was; None if the caller reaches none of this id."""
        return self._first(_DELETE, {**_who(caller), "id": person_id})

    def _first(self, statement: str, values: dict[str, Any]) -> Person | None:
        with self._open() as database:
            rows = database.execute(statement, values).fetchall()
        return _person(rows[0]) if rows else None

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._file, timeout=10)
        database.row_factory = sqlite3.Row
        try:
            with database:
                yield database
        finally:
            database.close()


def _who(caller: Principal) -> dict[str, Any]:
    return {
        "environment": caller.environment,
        "team_id": caller.team_id,
        "role": caller.role,
        "user_id": caller.user_id,
        "user_name": caller.user_name,
    }


def _person(row: sqlite3.Row) -> Person:
    by = {f"{verb}_by": User(id=row[f"{verb}_by"], name=row[f"{verb}_by_name"]) for verb in ("created", "updated")}
    return Person.model_validate({**dict(row), **by})
