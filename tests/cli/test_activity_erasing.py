"""`keybearer activity erase`: what is personal in a user's records goes, and how many records that were is told."""

import pytest

from tests.cli.conftest import PASSWORD, Terminal


def test_a_users_records_are_erased_and_counted(terminal: Terminal) -> None:
    made = terminal.type(
        "user", "add", "ada@example.com", "--name", "Ada", "--password-stdin", "--json", stdin=PASSWORD
    )
    erased = terminal.type("activity", "erase", "--user", "ada@example.com", "--basis", "asked by letter", "--json")
    assert erased.record == {"user": made.record["id"], "records": 1}
    again = terminal.type("activity", "erase", "--user", "ada@example.com", "--basis", "asked again", "--json")
    assert again.record["records"] == 0


@pytest.mark.parametrize("basis", ["", " ", "x" * 1_001])
def test_why_it_is_erased_has_to_be_said_or_nothing_is(terminal: Terminal, basis: str) -> None:
    terminal.add_person("Ada")
    erase = ("activity", "erase", "--user", "ada@example.com", "--basis")
    assert terminal.refused(*erase, basis, exit_code=2) == "--basis must say why, in at most 1,000 characters"
    assert terminal.told(*erase, "asked by letter")["records"] == 1


def test_nobodys_records_cannot_be_erased(terminal: Terminal) -> None:
    done = terminal.type("activity", "erase", "--user", "nobody@example.com", "--basis", "none")
    assert done.exit_code == 1
    assert "nobody has the address" in done.err
