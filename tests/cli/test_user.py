"""People by command line: added, disabled, enabled."""

from tests.cli.conftest import PASSWORD, Terminal


def test_adding_somebody_tells_what_is_so_now(terminal: Terminal) -> None:
    done = terminal.type("user", "add", "ada@example.com", "--name", "Ada", "--password-stdin", stdin=PASSWORD)
    assert (done.exit_code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "id           1",
        "email        ada@example.com",
        "name         Ada",
        "is_verified  no",
        "is_disabled  no",
        "is_operator  no",
    ]


def test_for_programs_it_is_one_json_object_a_line(terminal: Terminal) -> None:
    words = ("user", "add", "zoe@example.com", "--name", "Zoë", "--password-stdin", "--verified")
    told = terminal.told(*words, stdin=f"{PASSWORD}\n")
    assert told == {
        "id": told["id"],
        "email": "zoe@example.com",
        "name": "Zoë",
        "is_verified": True,
        "is_disabled": False,
        "is_operator": False,
    }


def test_disabling_and_enabling_again(terminal: Terminal) -> None:
    terminal.add_person("Ada")
    assert terminal.told("user", "disable", "ada@example.com")["is_disabled"] is True
    assert terminal.told("user", "disable", "ada@example.com")["is_disabled"] is True
    assert terminal.told("user", "enable", "ADA@example.com")["is_disabled"] is False


def test_a_lost_password_is_replaced_under_the_rules_of_any_other(terminal: Terminal) -> None:
    ada = terminal.add_person("Ada")
    words = ("user", "password", "ADA@example.com", "--password-stdin")
    assert terminal.refused(*words, stdin="short").startswith("the password is too short")
    assert terminal.refused(*words, stdin="ada@example.com1").startswith("the password is easy to guess")
    said = terminal.type(*words, "--json", stdin="seven green lamps hum\n")
    assert (said.record, said.err) == (ada, "")
    assert "give it on stdin, with --password-stdin" in terminal.refused(*words[:3], exit_code=2)
    assert terminal.refused("user", "password", "nobody@example.com").startswith("nobody has the address")


def test_nobody_of_that_address(terminal: Terminal) -> None:
    for verb in ("disable", "enable"):
        said = terminal.refused("user", verb, "nobody@example.com")
        assert said.startswith("nobody has the address nobody@example.com; ")


def test_an_address_is_nobody_elses(terminal: Terminal) -> None:
    terminal.add_person("Ada")
    for email in ("ada@example.com", "Ada@Example.com"):
        said = terminal.refused("user", "add", email, "--name", "Eve", "--password-stdin", stdin=PASSWORD)
        assert said == f"{email.partition('@')[0]}@example.com is taken. Give another address"


# One database for the whole table: nothing may be kept of any row.
WRONG = [
    ("ada", "Ada", PASSWORD, "this is not an email address"),
    ("a@b.example\r\nBcc: c@d.example", "Ada", PASSWORD, "this is not an email address"),
    ("ada@example.com", " ", PASSWORD, "enter a name"),
    ("ada@example.com", "x" * 500, PASSWORD, "the name"),
    ("ada@example.com", "A\x1b[31m", PASSWORD, "the name has characters that cannot be seen"),
    ("ada@example.com", "Ada", "short", "the password is too short"),
    ("ada@example.com", "Ada", "ada@example.com1", "the password is easy to guess"),
    ("ada@example.com", "Ada", "", "the password is too short"),
]


def test_what_cannot_be_kept_is_refused_with_what_to_do(terminal: Terminal) -> None:
    for email, name, password, said in WRONG:
        refused = terminal.refused("user", "add", email, "--name", name, "--password-stdin", stdin=password)
        assert refused.startswith(said), (email, name)
    assert terminal.add_person("Ada")["id"] == 1


def test_a_password_is_never_taken_from_the_command_line(bare_terminal: Terminal) -> None:
    words = ("user", "add", "ada@example.com", "--name", "Ada")
    assert "--password" in bare_terminal.refused(*words, f"--password={PASSWORD}", exit_code=2)
    assert "give it on stdin, with --password-stdin" in bare_terminal.refused(*words, exit_code=2)
