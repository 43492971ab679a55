"""Statements as text: compiled once, for both drivers, and strict about their values."""

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Executable,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    bindparam,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.engine.interfaces import Dialect

from keybearer.server.store import tables
from keybearer.server.store.statements import Statements, constraint_names

things = Table(
    "things",
    MetaData(),
    Column("number", Integer, primary_key=True),
    Column("name", Text, unique=True),
    Column("digest", LargeBinary),
    Column("flag", Boolean),
    Column("made", Text, default=lambda: "in Python"),
)
THINGS = [things.c.number, things.c.name]
DIALECTS = {"sqlite": SQLiteDialect(paramstyle="qmark"), "postgresql": asyncpg_dialect()}  # type: ignore[no-untyped-call]


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    return DIALECTS[request.param]


@pytest.fixture
def statements(dialect: Dialect) -> Statements:
    return Statements(dialect)


def test_values_come_in_the_order_of_their_places(statements: Statements) -> None:
    take = (
        update(things)
        .where(things.c.name == bindparam("who"), things.c.number > 5)
        .values(digest=bindparam("digest"), number=bindparam("now"))
        .returning(things.c.name)
    )
    text, given = statements.bind(take, {"now": 7, "who": "a", "digest": b"d"})
    assert given == [7, b"d", "a", 5]
    assert text.startswith("UPDATE things SET number=")


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({}, id="one is missing"),
        pytest.param({"who": "a", "why": "b"}, id="one too many"),
        pytest.param({"whom": "a"}, id="another name"),
        pytest.param({"who": "a", "number_1": 6}, id="a value that the statement has itself"),
    ],
)
def test_other_values_than_it_demands_are_refused(statements: Statements, values: dict[str, object]) -> None:
    look = select(*THINGS).where(things.c.name == bindparam("who"), things.c.number > 5)
    with pytest.raises(TypeError, match="demands"):
        statements.bind(look, values)
    with pytest.raises(TypeError, match="demands"):
        statements.bind_all(look, [{"who": "a"}, values])


def test_a_statement_for_many_rows_is_one_text_and_the_values_of_each(statements: Statements) -> None:
    put = insert(things).values(name=bindparam("name"), digest=bindparam("digest"), made="x")
    rows = [{"name": "a", "digest": b"1"}, {"digest": b"2", "name": "b"}]
    text, given = statements.bind_all(put, rows)
    assert [(text, values) for values in given] == [statements.bind(put, row) for row in rows]
    look = select(*THINGS).where(things.c.name.in_(bindparam("who", expanding=True)))
    with pytest.raises(TypeError, match="has a list"):
        statements.bind_all(look, [{"who": ["a"]}, {"who": ["a", "b", "c"]}])


def test_a_bare_insert_takes_its_columns_from_the_values(statements: Statements) -> None:
    bare = insert(things.to_metadata(MetaData())).values()
    bare.table.c.made.default = None
    text, given = statements.bind(bare, {"name": "a", "digest": b"d"})
    assert text.startswith("INSERT INTO things (name, digest) VALUES (")
    assert "RETURNING" not in text
    assert given == ["a", b"d"]


def test_a_row_for_update_is_locked_where_that_exists(statements: Statements, dialect: Dialect) -> None:
    text, _ = statements.bind(select(*THINGS).with_for_update(), {})
    assert text.endswith("FOR UPDATE") is (dialect.name == "postgresql")


@pytest.mark.parametrize("names", [[], ["a"], ["a", "b", "c"]], ids=len)
def test_a_list_of_any_length_is_one_value(statements: Statements, names: list[str]) -> None:
    look = select(*THINGS).where(things.c.number == bindparam("n"), things.c.name.in_(bindparam("who", expanding=True)))
    for _ in range(2):
        text, given = statements.bind(look, {"n": 1, "who": names})
        assert {*map(str, given)} == {"1", *names}
        assert text.count("?") + text.count("$") == len(given)


def test_a_list_keeps_its_values_apart_from_those_of_another_of_its_length(statements: Statements) -> None:
    look = select(*THINGS).where(things.c.number == 7, things.c.name.in_(bindparam("who", expanding=True)))
    for names in (["a", "b"], ["c", "d"], ["e"], ["f", "g"]):
        assert statements.bind(look, {"who": names})[1] == [7, *names]


def test_lists_of_many_lengths_are_a_handful_of_texts_for_a_database_to_plan(statements: Statements) -> None:
    look = select(*THINGS).where(things.c.name.in_(bindparam("who", expanding=True)))
    assert len({statements.bind(look, {"who": ["a"] * length})[0] for length in range(1, 65)}) == 7


@pytest.mark.parametrize("update_too", [False, True], ids=["do nothing", "do update"])
def test_on_conflict_is_written_once_for_both(statements: Statements, *, update_too: bool) -> None:
    put = insert_or(things).values(name=bindparam("name"), made="x")
    names = [things.c.name]
    if update_too:
        put = put.on_conflict_do_update(index_elements=names, set_={"made": put.excluded.made})
    else:
        put = put.on_conflict_do_nothing(index_elements=names)
    text, given = statements.bind(put, {"name": "a"})
    assert "ON CONFLICT (name) DO " + ("UPDATE SET made = excluded.made" if update_too else "NOTHING") in text
    assert given == ["a", "x"]


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        pytest.param(select(*THINGS).where(things.c.flag == bindparam("flag")), {"flag": True}, id="a boolean"),
        pytest.param(select(literal(1.5)), {}, id="a fraction"),
        pytest.param(insert(things).values(name="a"), {}, id="a default made in Python"),
    ],
)
def test_what_would_need_converting_is_refused(
    statements: Statements, statement: Executable, values: dict[str, object]
) -> None:
    with pytest.raises(TypeError, match=r"only integers|defaults"):
        statements.bind(statement, values)


def test_a_statement_is_compiled_once(statements: Statements, monkeypatch: pytest.MonkeyPatch) -> None:
    look = select(*THINGS).where(things.c.name == bindparam("who"))
    first, _ = statements.bind(look, {"who": "a"})
    monkeypatch.setattr(statements, "_compile", None)
    assert statements.bind(look, {"who": "b"}) == (first, ["b"])


def test_statements_made_anew_at_each_call_do_not_fill_the_memory(
    statements: Statements, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keybearer.server.store.statements._MOST_KNOWN", 10)
    for number in range(25):
        assert statements.bind(select(*THINGS).where(things.c.number == number), {})[1] == [number]
    assert len(statements._known) <= 10


def test_uniqueness_rules_are_known_by_their_columns() -> None:
    known = constraint_names(tables.metadata)
    assert known[frozenset({"users.email_key"})] == "uq_users_email_key"
    assert known[frozenset({"memberships.user_id", "memberships.team_id"})].startswith(("pk_", "uq_"))
