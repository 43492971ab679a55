"""`keybearer token inspect` says what a token can do and every reason why not, and never the token."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from keybearer.server import secrets
from keybearer.server.actions.create_personal_token import AskedToken, TokenPolicy, create_personal_token
from keybearer.server.activities import Actor
from keybearer.server.clock import now
from keybearer.server.roles import DEFAULT_PERMISSIONS, default_role_permissions
from keybearer.server.store.database import Transaction, open_database
from keybearer.wire.token_text import compose
from tests.cli.conftest import Terminal
from tests.support.databases import copy_sqlite


def in_store(work: Callable[[Transaction], Awaitable[str]]) -> str:
    async def open_and_work() -> str:
        database = await open_database(os.environ["KEYBEARER_DATABASE_URL"])
        try:
            return await database.transact(work)
        finally:
            await database.close()

    return asyncio.run(open_and_work())


@pytest.fixture
def token(terminal: Terminal) -> str:
    """Have Ben, a member of Acme, with a personal token."""
    for name in ("Ada", "Ben"):
        terminal.add_person(name)
    terminal.told("team", "add", "Acme", "--environment", "sandbox", "--owner", "ada@example.com")
    terminal.told("team", "member", "set", "acme", "ben@example.com", "--role", "member")

    async def make(tx: Transaction) -> str:
        at = now()
        policy = TokenPolicy("kb", 31_536_000_000_000, default_role_permissions(frozenset(DEFAULT_PERMISSIONS)))
        asked = AskedToken(2, 1, "Reports", "", "", "none", ())
        return (await create_personal_token(tx, Actor(secrets.record_id(at), ""), asked, policy, at)).text

    return in_store(make)


def inspected(terminal: Terminal, token: str) -> dict[str, object]:
    done = terminal.type("token", "inspect", "--json", stdin=f"{token}\n")
    assert done.exit_code == 0, done.err
    assert token not in done.out + done.err
    return done.record


def test_a_token_that_works(terminal: Terminal, token: str) -> None:
    found = inspected(terminal, token)
    assert found["works"] is True
    assert found["why_not"] == []
    assert (found["kind"], found["last4"], found["environment"]) == ("personal access token", token[-4:], "sandbox")
    assert (found["user"], found["team"], found["role"]) == ("ben@example.com", "acme", "member")
    assert found["permissions"] == sorted(set(DEFAULT_PERMISSIONS) - {"team:manage", "members:manage"})


def test_every_reason_is_told_at_once_and_each_goes_as_it_is_mended(terminal: Terminal, token: str) -> None:
    terminal.told("user", "disable", "ben@example.com")
    assert inspected(terminal, token)["why_not"] == ["its user is disabled"]
    terminal.told("team", "member", "remove", "acme", "ben@example.com")
    found = inspected(terminal, token)
    assert found["works"] is False
    assert found["permissions"] == []
    assert found["why_not"] == [
        "the access that it belongs to was ended",
        "its user is disabled",
        "its user is not in its team any more",
    ]
    terminal.told("user", "enable", "ben@example.com")
    terminal.told("team", "member", "set", "acme", "ben@example.com", "--role", "owner")
    assert inspected(terminal, token)["why_not"] == ["the access that it belongs to was ended"]


def test_a_role_changed_in_the_file_changes_what_the_token_may_do(terminal: Terminal, token: str) -> None:
    Path("keybearer.toml").write_text(
        '[permissions]\n"orders:read" = "See orders"\n"orders:refund" = "Refund orders"\n'
        '[roles.member]\npermissions = ["orders:refund"]\n',
        "utf-8",
    )
    terminal.set(CONFIG="keybearer.toml")
    assert inspected(terminal, token)["permissions"] == ["orders:refund"]


@pytest.mark.parametrize(
    ("text", "exit_code", "said"),
    [
        pytest.param("", 2, "no token; give it on stdin", id="nothing"),
        pytest.param("nonsense", 1, "this is not a token of this server", id="nonsense"),
        pytest.param("\udcff\udcfe", 2, "what came on stdin is not UTF-8", id="bytes"),
        pytest.param("x" * 100_000, 1, "this is not a token of this server", id="endless"),
        pytest.param(compose("other", "pat", "live", "a" * 32), 1, "this is not a token of this", id="other prefix"),
        pytest.param(compose("kb", "pat", "live", "a" * 32)[:-1] + "x", 1, "this is not a token", id="mistyped"),
        pytest.param(compose("kb", "pat", "live", "a" * 32), 1, "no such token was made in this", id="never made"),
        pytest.param(compose("kb", "ocs", "live", "a" * 32), 1, "this is a client secret, key or code", id="a secret"),
    ],
)
def test_what_is_no_token_of_ours(
    bare_terminal: Terminal, migrated_sqlite: Path, text: str, exit_code: int, said: str
) -> None:
    bare_terminal.set(DATABASE_URL=copy_sqlite(migrated_sqlite, Path("here.db").absolute()))
    refused = bare_terminal.refused("token", "inspect", stdin=text, exit_code=exit_code)
    assert refused.startswith(said)
    assert not text or text not in refused
