"""Any number of rows is inserted by a few statements, on both databases, in their order, or not at all."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import Executable, bindparam, insert, literal, select
from sqlalchemy.dialects.postgresql import insert as insert_or

from keybearer.server.store.database import Database, Transaction
from keybearer.server.store.faults import Conflict
from keybearer.server.store.many_rows import by_arrays, by_values, is_plain_insert
from tests.server.store.trial import create_tables, items, numbered, opened

WORDS = select(numbered.c.word).order_by(numbered.c.number)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await create_tables(database_url)
    async with opened(database_url) as running:
        yield running


async def _add(tx: Transaction, words: list[str]) -> None:
    await tx.run_all(insert(numbered), [{"word": word} for word in words])


@pytest.mark.parametrize("count", [1, 2, 3, 64, 300])
async def test_rows_of_any_number_are_numbered_in_their_order(database: Database, count: int) -> None:
    words = [f"word {number}" for number in range(count)]
    await database.transact(_add, words)
    assert [row["word"] for row in await database.many(WORDS)] == words


async def _load(tx: Transaction, words: list[str]) -> None:
    await tx.load(numbered, ["word"], [(word,) for word in words])


@pytest.mark.parametrize("add", [_add, _load])
async def test_what_one_row_breaks_keeps_all_others_out_but_not_those_of_other_works(
    database: Database, add: Callable[[Transaction, list[str]], Awaitable[None]]
) -> None:
    works = [database.transact(add, words) for words in (["before"], ["a", "b", "c", "b", "d"], ["after"])]
    _, broken, _ = await asyncio.gather(*works, return_exceptions=True)
    assert isinstance(broken, Conflict)
    assert re.search("trial_numbered.word", str(broken))
    assert {row["word"] for row in await database.many(WORDS)} == {"before", "after"}


async def test_every_type_and_what_is_not_there_arrive_as_they_are(database: Database) -> None:
    rows = [
        {"name": "a", "count": 2**40, "digest": b"\x00\xff", "used_at": None, "parent": None},
        {"name": "b", "count": 0, "digest": None, "used_at": 5, "parent": "a"},
    ]

    async def add(tx: Transaction) -> None:
        await tx.run_all(insert(items), rows)

    await database.transact(add)
    assert await database.many(select(items).order_by(items.c.name)) == rows


@pytest.mark.parametrize(
    ("statement", "is_plain"),
    [
        pytest.param(insert(numbered), True, id="only a table"),
        pytest.param(insert(numbered).values(word="a"), False, id="a value of its own"),
        pytest.param(insert(numbered).values(word=bindparam("given")), False, id="a parameter of its own"),
        pytest.param(insert(numbered).returning(numbered.c.number), False, id="returning"),
        pytest.param(insert_or(numbered).on_conflict_do_nothing(), False, id="on conflict"),
        pytest.param(insert(numbered).from_select(["word"], select(literal("a"))), False, id="from a select"),
        pytest.param(select(numbered), False, id="no insert"),
    ],
)
def test_only_what_is_nothing_but_an_insert_is_widened(statement: Executable, is_plain: bool) -> None:
    assert is_plain_insert(statement) is is_plain


def test_sqlite_gets_powers_of_two() -> None:
    given = list(by_values("INSERT INTO t (a, b) VALUES (?, ?)", [[n, -n] for n in range(7)]))
    assert [text.count("(?, ?)") for text, _ in given] == [4, 2, 1]
    assert [value for _, values in given for value in values] == [0, 0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6]


def test_sqlite_gets_as_many_rows_at_once_as_do_it_good() -> None:
    row = list(range(20))
    given = list(by_values("INSERT INTO t VALUES (?)", [row] * 100))
    assert [len(values) // 20 for _, values in given] == [32, 32, 32, 4]


def test_postgresql_gets_an_array_for_each_column() -> None:
    text = "INSERT INTO t (a, b) VALUES ($1::VARCHAR, $2::BIGINT)"
    assert by_arrays(text, [["x", 1], ["y", 2]]) == (
        "INSERT INTO t (a, b) SELECT * FROM unnest($1::VARCHAR[], $2::BIGINT[])",
        [("x", "y"), (1, 2)],
    )
