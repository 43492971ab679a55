"""APIs that verify tokens, by command line: added with a key that is shown once, listed, revoked."""

from keybearer.wire import token_text
from tests.cli.conftest import Terminal


def test_adding_one_tells_its_id_and_key(terminal: Terminal) -> None:
    told = terminal.told("resource-server", "add", "Ledger API", "--environment", "live")
    assert set(told) == {"id", "name", "environment", "key"}
    assert (told["name"], told["environment"]) == ("Ledger API", "live")
    parsed = token_text.parse(told["key"])
    assert parsed is not None
    assert (parsed.kind, parsed.environment) == ("rsk", "live")


def test_a_key_is_never_told_again(terminal: Terminal) -> None:
    assert terminal.type("resource-server", "list").out == ""
    added = terminal.told("resource-server", "add", "Ledger API", "--environment", "sandbox")
    listed = terminal.told("resource-server", "list")
    assert (listed["id"], listed["last4"], listed["seen_at"]) == (added["id"], added["key"][-4:], None)
    assert added["key"] not in terminal.type("resource-server", "list").out


def test_a_revoked_one_is_listed_no_more(terminal: Terminal) -> None:
    added = terminal.told("resource-server", "add", "Ledger API", "--environment", "sandbox")
    for _ in range(2):
        assert terminal.told("resource-server", "revoke", added["id"])["is_revoked"] is True
    assert terminal.type("resource-server", "list").out == ""


def test_what_is_wrong_is_refused_with_what_to_do(terminal: Terminal) -> None:
    terminal.told("resource-server", "add", "Ledger API", "--environment", "sandbox")
    said = terminal.refused("resource-server", "add", "ledger api", "--environment", "live")
    assert said.startswith("there is a resource server of that name")
    said = terminal.refused("resource-server", "revoke", "nothing")
    assert said == "there is no resource server nothing; give its id as 'keybearer resource-server list' prints it"
    terminal.refused("resource-server", "add", "Other", "--environment", "moon", exit_code=2)


def test_somebody_is_made_an_operator_and_is_one_no_longer(terminal: Terminal) -> None:
    terminal.add_person("Ada")
    assert terminal.told("user", "operator", "ada@example.com")["is_operator"] is True
    assert terminal.told("user", "operator", "ada@example.com", "--revoke")["is_operator"] is False
    assert terminal.refused("user", "operator", "nobody@example.com").startswith("nobody has the address")
