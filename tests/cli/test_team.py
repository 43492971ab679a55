"""Teams and roles by command line."""

import asyncio
import os
from itertools import product

import pytest

from keybearer.server.clock import HOUR
from keybearer.server.store import memberships
from keybearer.server.store.database import open_database
from tests.cli.conftest import Terminal


@pytest.fixture
def acme(terminal: Terminal) -> Terminal:
    """Have Ada's team Acme, and Ben, who is in no team."""
    terminal.add_person("Ada")
    terminal.add_person("Ben")
    terminal.told("team", "add", "Acme", "--environment", "sandbox", "--owner", "ada@example.com")
    return terminal


def set_role(acme: Terminal, name: str, role: str, *more: str, team: str = "acme") -> dict[str, object]:
    return acme.told("team", "member", "set", team, f"{name}@example.com", "--role", role, *more)


def test_a_team_is_added_with_its_first_owner(acme: Terminal) -> None:
    told = acme.told("team", "add", "Acme", "--environment", "live", "--owner", "ada@example.com")
    assert list(told) == ["id", "identifier", "name", "environment"]
    assert (told["name"], told["environment"]) == ("Acme", "live")
    assert told["identifier"] != "acme"
    assert set_role(acme, "ada", "owner", team=told["identifier"])["role"] == "owner"


def test_for_people_one_line_for_each_fact(acme: Terminal) -> None:
    done = acme.type("team", "add", "Works", "--environment", "live", "--owner", "ada@example.com")
    assert [line.split() for line in done.out.splitlines()][1:] == [
        ["identifier", "works"],
        ["name", "Works"],
        ["environment", "live"],
    ]


def test_each_role_is_given_in_a_team_named_by_identifier_or_id(acme: Terminal) -> None:
    for role, team in product(("owner", "member", "read-only", "assigned-only"), ("acme", "1")):
        told = set_role(acme, "ben", role, team=team)
        assert (told["team"], told["email"], told["role"]) == ("acme", "ben@example.com", role)


@pytest.mark.parametrize(("more", "hours"), [((), 8), (("--hours", "2"), 2)], ids=["eight hours", "two"])
def test_an_assumed_role_ends(acme: Terminal, more: tuple[str, ...], hours: int) -> None:
    set_role(acme, "ben", "assumed", *more)

    async def life() -> int:
        database = await open_database(os.environ["KEYBEARER_DATABASE_URL"])
        member = await memberships.of_user(database, 1, 2)
        await database.close()
        assert member is not None
        assert member.expires_at is not None
        return member.expires_at - member.joined_at

    assert asyncio.run(life()) == hours * HOUR


@pytest.mark.parametrize("hours", ["0", "9", "x"])
def test_an_assumed_role_ends_within_a_working_day(bare_terminal: Terminal, hours: str) -> None:
    words = ("team", "member", "set", "acme", "ben@example.com", "--role", "assumed", "--hours", hours)
    assert "--hours" in bare_terminal.refused(*words, exit_code=2)


def test_somebody_removed_is_in_the_team_no_more(acme: Terminal) -> None:
    set_role(acme, "ben", "member")
    assert acme.told("team", "member", "remove", "acme", "ben@example.com")["role"] is None
    said = acme.refused("team", "member", "remove", "acme", "ben@example.com")
    assert said.startswith("ben@example.com is not in the team acme; ")


def test_the_last_owner_stays(acme: Terminal) -> None:
    said = "a team needs an admin. Make somebody else admin first"
    assert acme.refused("team", "member", "remove", "acme", "ada@example.com") == said
    assert acme.refused("team", "member", "set", "acme", "ada@example.com", "--role", "member") == said
    set_role(acme, "ben", "owner")
    assert acme.told("team", "member", "remove", "acme", "ada@example.com")["role"] is None


def test_a_team_that_is_not_there(acme: Terminal) -> None:
    for team in ("nowhere", "2", "0", "-1", "99999999999999999999999", "9" * 5_000, "1.0", "\u0663", "%", ""):
        words = ("team", "member", "set", "--role", "member", "--", team, "ben@example.com")
        named = team if len(team) <= 150 else f"{team[:150]}…"
        assert acme.refused(*words).startswith(f"there is no team {named}; give its id or identifier")


def test_a_person_who_is_not_there(acme: Terminal) -> None:
    for words in (
        "add Works --environment live --owner eve@example.com",
        "member set acme eve@example.com --role member",
        "member remove acme eve@example.com",
    ):
        assert acme.refused("team", *words.split()).startswith("nobody has the address eve@example.com; ")


def test_a_team_needs_a_name_that_can_be_read(acme: Terminal) -> None:
    for name in ("", " ", "x" * 300, "Ac\nme", "Ac\u202eme"):
        words = ("team", "add", name, "--environment", "live", "--owner", "ada@example.com")
        assert "name" in acme.refused(*words), name


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "add Works --environment test --owner ada@example.com",
            "'--environment': 'test' is not one of 'sandbox', 'live'",
        ),
        ("add Works --owner ada@example.com", "missing option '--environment'"),
        ("add Works --environment live", "missing option '--owner'"),
        ("member set acme ben@example.com --role king", "'king' is not one of 'owner', 'member'"),
        ("member set acme ben@example.com", "missing option '--role'"),
        ("member remove acme", "missing argument 'EMAIL'"),
        ("", "missing command"),
    ],
)
def test_wrong_usage_is_named_and_touches_nothing(bare_terminal: Terminal, words: str, said: str) -> None:
    assert said in bare_terminal.refused("team", *words.split(), exit_code=2)
