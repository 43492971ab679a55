"""`keybearer settings` tells what is in force and where it comes from, and no secret."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Terminal

SECRET = "opensesame"


def shown(terminal: Terminal) -> dict[str, tuple[str, str]]:
    done = terminal.type("settings", "--json")
    assert done.exit_code == 0
    records = [json.loads(line) for line in done.out.splitlines()]
    assert all(record["description"] for record in records)
    return {record["name"]: (record["value"], record["source"]) for record in records}


def test_each_setting_tells_its_source(bare_terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "name").write_text("Acme\n")
    (tmp_path / "keybearer.toml").write_text('code_ttl = 60\nKEYBEARER_TOKEN_PREFIX = "file"\nrate_limit = "1/second"')
    bare_terminal.set(CONFIG="keybearer.toml", PRODUCT_NAME_FILE="name", RATE_LIMIT="2/second", ISSUER="")
    found = shown(bare_terminal)
    assert found["KEYBEARER_CODE_TTL"] == ("60", "file of KEYBEARER_CONFIG")
    assert found["KEYBEARER_TOKEN_PREFIX"] == ("file", "file of KEYBEARER_CONFIG")
    assert found["KEYBEARER_PRODUCT_NAME"] == ("Acme", "file of KEYBEARER_PRODUCT_NAME_FILE")
    assert found["KEYBEARER_RATE_LIMIT"] == ("2/second", "environment")
    assert found["KEYBEARER_ISSUER"] == ("http://127.0.0.1:8000", "default")
    assert found["KEYBEARER_PERSONAL_TOKEN_TTL"] == ("31536000", "default")


@pytest.mark.parametrize("words", [("settings",), ("settings", "--json")], ids=["people", "programs"])
def test_secrets_are_masked(bare_terminal: Terminal, words: tuple[str, ...]) -> None:
    bare_terminal.set(DATABASE_URL=f"postgresql://u:{SECRET}@db/k", SMTP_URL=f"smtp://u:{SECRET}@mail:25")
    done = bare_terminal.type(*words)
    assert done.exit_code == 0
    assert done.out.count("********") == 2
    assert SECRET not in done.out + done.err


def test_for_people_it_is_a_table(bare_terminal: Terminal) -> None:
    lines = bare_terminal.type("settings").out.splitlines()
    assert lines[0].split() == ["KEYBEARER_DATA_DIR", "default", "data"]
    assert len({line.index("default") for line in lines}) == 1


def test_what_is_shown_of_proxies_can_be_set_again(bare_terminal: Terminal) -> None:
    bare_terminal.set(TRUSTED_PROXIES="10.0.0.1, 2001:db8::/32")
    value, source = shown(bare_terminal)["KEYBEARER_TRUSTED_PROXIES"]
    assert (value, source) == ("10.0.0.1/32,2001:db8::/32", "environment")
    bare_terminal.set(TRUSTED_PROXIES=value)
    assert shown(bare_terminal)["KEYBEARER_TRUSTED_PROXIES"] == (value, source)
