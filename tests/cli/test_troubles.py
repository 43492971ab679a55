"""A command that cannot be carried out says what is wrong and what to do, and repeats no secret."""

import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from keybearer.server.store.migrations import script
from tests.cli.conftest import PASSWORD, Terminal
from tests.support.databases import PostgresDatabases
from tests.support.processes import free_port

SECRET = "opensesame"


@pytest.mark.parametrize("words", ["migrate", "user disable ada@example.com", "serve --port 0", "settings"])
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        pytest.param("DATABASE_URL", f"mysql://u:{SECRET}@db/k", "KEYBEARER_DATABASE_URL: must begin", id="mysql"),
        pytest.param("DATABASE_URL", SECRET, "KEYBEARER_DATABASE_URL: must begin with postgresql://", id="no url"),
        pytest.param("DATABASE_URL", "sqlite:///", "or with sqlite:/// and the path of a file", id="no file of SQLite"),
        pytest.param("DATABASE_URL", "sqlite:///:memory:", "sqlite:/// and the path of a file", id="memory"),
        pytest.param("SMTP_URL", "mail.example.com:25", "KEYBEARER_SMTP_URL: must read like smtps://", id="no scheme"),
        pytest.param("SMTP_URL", f"smtp://u:{SECRET}/@mail", "KEYBEARER_SMTP_URL: must read like", id="not encoded"),
        pytest.param("METRICS_LISTEN", "9464", "KEYBEARER_METRICS_LISTEN: must read like 127.0.0.1:9464", id="no host"),
        pytest.param("METRICS_LISTEN", "::1:9464", "must read like 127.0.0.1:9464 or [::1]:9464", id="bare IPv6"),
        pytest.param("METRICS_LISTEN", "localhost:70000", "KEYBEARER_METRICS_LISTEN: must read", id="no port"),
        pytest.param("CODE_TTL", "601", "KEYBEARER_CODE_TTL: input should be less than or equal", id="a life too long"),
        pytest.param("CODE_TTL", "ten", "KEYBEARER_CODE_TTL: input should be a valid integer", id="no number"),
        pytest.param("ROLES", '{"king": {"permissions": []}}', "roles.king must be one of owner, member", id="role"),
        pytest.param(
            "ROLES", '{"owner"', 'the settings cannot be read: error parsing value for field "roles"', id="js"
        ),
        pytest.param("CONFIG", "/nowhere", "/nowhere: no such file or directory", id="no file"),
        pytest.param("SMTP_URL_FILE", "/nowhere", "No such file or directory: '/nowhere'", id="no secret file"),
    ],
)
def test_a_wrong_setting_is_named(bare_terminal: Terminal, words: str, name: str, value: str, said: str) -> None:
    bare_terminal.set(**{name: value})
    refused = bare_terminal.refused(*words.split(), exit_code=2)
    assert said in refused
    assert "; " in refused
    assert SECRET not in refused


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("a = [", "keybearer.toml is not TOML: Invalid value", id="cut off"),
        pytest.param("\ufffe".encode("utf-16"), "keybearer.toml is not TOML", id="bytes"),
        pytest.param('rate_limt = "3/minute"', "there is no setting rate_limt", id="mistyped"),
        pytest.param('[rolls.member]\npermissions = ["team:read"]', "there is no setting rolls", id="mistyped table"),
        pytest.param('[roles.king]\npermissions = ["team:read"]', "roles.king must be one of", id="unknown role"),
        pytest.param('[roles.member]\npermissions = ["team:raed"]', "roles.member names unknown", id="permission"),
        pytest.param('[roles.member]\npermissons = ["team:read"]', "roles.member must be one of", id="mistyped key"),
        pytest.param('[roles]\nmember = ["team:read"]', "KEYBEARER_ROLES", id="no table"),
    ],
)
def test_a_wrong_file_is_named(bare_terminal: Terminal, tmp_path: Path, text: str | bytes, said: str) -> None:
    file = tmp_path / "keybearer.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    bare_terminal.set(CONFIG=str(file))
    assert said in bare_terminal.refused("migrate", exit_code=2)


@pytest.mark.parametrize("words", ["migrate", "user disable ada@example.com", "serve --port 0"])
def test_a_database_that_is_out_of_reach(bare_terminal: Terminal, words: str) -> None:
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        bare_terminal.set(DATABASE_URL=f"postgresql://u:{SECRET}@127.0.0.1:{unused.getsockname()[1]}/k")
        said = bare_terminal.refused(*words.split())
    assert said.startswith("the database cannot be used (PostgreSQL: ConnectionRefusedError")
    assert said.endswith("check KEYBEARER_DATABASE_URL, and that it is running")
    assert SECRET not in said


@pytest.mark.parametrize("words", ["migrate", "user disable ada@example.com", "serve --port 0"])
def test_a_url_that_cannot_be_read_is_not_repeated(bare_terminal: Terminal, words: str) -> None:
    bare_terminal.set(DATABASE_URL=f"postgresql://u:{SECRET}/{SECRET}@127.0.0.1/k")
    said = bare_terminal.refused(*words.split(), exit_code=2)
    assert said.startswith("KEYBEARER_DATABASE_URL cannot be read; write it as postgresql://")
    assert SECRET not in said


def test_a_command_leaves_an_embedded_database_of_another_version_to_the_server_that_may_run_on_it(
    bare_terminal: Terminal,
) -> None:
    file = Path("here.db")
    with closing(sqlite3.connect(file)) as database:
        database.executescript(script("sqlite", None, "0009"))
    before = file.read_bytes()
    bare_terminal.set(DATABASE_URL=f"sqlite:///{file}")
    said = bare_terminal.refused("user", "add", "ada@example.com", "--name", "Ada", "--password-stdin", stdin=PASSWORD)
    assert "run 'keybearer migrate' first" in said
    assert file.read_bytes() == before
    assert bare_terminal.told("migrate")["changed"] is True
    assert bare_terminal.add_person("Ada")["id"] == 1


@pytest.mark.parametrize(
    "words",
    ["doctor", "user disable a@example.com", "team member remove 1 a@example.com", "activity export --team 1"],
)
def test_where_there_is_no_database_none_is_made_for_what_can_only_be_in_one(
    bare_terminal: Terminal, tmp_path: Path, words: str
) -> None:
    said = bare_terminal.refused(*words.split())
    assert said.startswith(f"there is no database in {tmp_path / 'data' / 'keybearer.db'}; set KEYBEARER_DATA_DIR ")
    assert list(tmp_path.iterdir()) == []


def test_where_a_url_names_the_file_of_the_database_that_url_is_what_to_set(
    bare_terminal: Terminal, tmp_path: Path
) -> None:
    file = tmp_path / "elsewhere.db"
    bare_terminal.set(DATABASE_URL=f"sqlite:///{file}")
    said = bare_terminal.refused("doctor")
    assert said == f"there is no database in {file}; set KEYBEARER_DATABASE_URL to the one that is meant"
    file.touch()
    bare_terminal.set(DATABASE_URL=f"sqlite:///{file}/below.db")
    said = bare_terminal.refused("migrate")
    assert said.startswith(f"the database {file}/below.db cannot be used (")
    assert said.endswith("see that you may write it and its folder, and that the disk has room")


@pytest.mark.parametrize("words", ["migrate", "serve --port 0", "demo --port 0"])
def test_an_embedded_database_of_a_later_version(bare_terminal: Terminal, tmp_path: Path, words: str) -> None:
    bare_terminal.told("migrate")
    with closing(sqlite3.connect(tmp_path / "data" / "keybearer.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    said = bare_terminal.refused(*words.split(), stdin="x\n")
    assert said == "the database is at revision 9999, which this version does not know: install the later version"


def test_another_database_without_tables(bare_terminal: Terminal, postgres_databases: PostgresDatabases) -> None:
    with postgres_databases.fresh("template0") as url:
        bare_terminal.set(DATABASE_URL=url)
        assert "run 'keybearer migrate' first" in bare_terminal.refused("user", "disable", "ada@example.com")
        assert "run 'keybearer migrate' first" in bare_terminal.refused("serve", "--port", "0")
        assert bare_terminal.told("migrate")["changed"] is True
        assert "nobody has the address" in bare_terminal.refused("user", "disable", "ada@example.com")


@pytest.mark.parametrize(
    ("setting", "said"),
    [("role = pg_monitor", "permission denied for schema"), ("default_transaction_read_only = on", "read-only")],
)
def test_another_database_in_which_no_tables_can_be_made(
    bare_terminal: Terminal, postgres_databases: PostgresDatabases, setting: str, said: str
) -> None:
    with postgres_databases.fresh("template0") as url:
        name = url.partition("?")[0].rpartition("/")[2]
        postgres_databases._wait(postgres_databases._connection.execute(f'ALTER DATABASE "{name}" SET {setting}'))
        bare_terminal.set(DATABASE_URL=url)
        assert said in bare_terminal.refused("migrate")


def test_another_database_that_cannot_keep_all_names(
    bare_terminal: Terminal, postgres_databases: PostgresDatabases
) -> None:
    control = postgres_databases
    control._wait(control._connection.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1'"))
    try:
        bare_terminal.set(DATABASE_URL=control.cluster.url("latin"))
        assert "its encoding is LATIN1" in bare_terminal.refused("migrate")
    finally:
        control._wait(control._connection.execute("DROP DATABASE latin WITH (FORCE)"))


def test_a_file_that_is_no_database(bare_terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "keybearer.db").write_text("my notes, which are quite long\n" * 40)
    assert "file is not a database" in bare_terminal.refused("migrate")
    assert (tmp_path / "data" / "keybearer.db").read_text().startswith("my notes")


@pytest.mark.parametrize("words", ["doctor", "user disable ada@example.com", "resource-server list", "serve --port 0"])
def test_an_embedded_database_that_cannot_be_used_is_named_with_what_to_look_at(
    bare_terminal: Terminal, tmp_path: Path, words: str
) -> None:
    file = tmp_path / "data" / "keybearer.db"
    file.mkdir(parents=True)
    said = bare_terminal.refused(*words.split())
    assert said.startswith(f"the database {file} cannot be used (SQLite: ")
    assert said.endswith("see that you may write it and its folder, and that the disk has room")


def test_a_data_folder_that_cannot_be_one(bare_terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in ("file", "file/below"):
        bare_terminal.set(DATA_DIR=str(tmp_path / place))
        said = bare_terminal.refused("migrate")
        assert said.startswith(str(tmp_path / "file")), place
        assert said.endswith("set KEYBEARER_DATA_DIR to a folder you may write")


def test_a_data_folder_in_which_workers_cannot_share_what_they_count(
    bare_terminal: Terminal, tmp_path: Path, migrated_postgres: PostgresDatabases
) -> None:
    (tmp_path / "file").touch()
    with migrated_postgres.fresh() as url:
        bare_terminal.set(DATABASE_URL=url, DATA_DIR=str(tmp_path / "file"))
        bare_terminal.set(METRICS_LISTEN=f"127.0.0.1:{free_port()}")
        said = bare_terminal.refused("serve", "--port", "0", "--workers", "2")
    assert said == f"{tmp_path / 'file'}: file exists; set KEYBEARER_DATA_DIR to a folder you may write"


def test_an_address_that_is_taken(bare_terminal: Terminal) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        for command in ("serve", "demo"):
            said = bare_terminal.refused(command, "--port", str(port))
            assert said.startswith(f"cannot listen on 127.0.0.1 port {port} (Address already in use); ")
            assert said.endswith("choose another address or port with --host and --port")
            bare_terminal.set(METRICS_LISTEN=f"127.0.0.1:{port}")
            said = bare_terminal.refused(command, "--port", "0")
            assert said.startswith(f"cannot listen on 127.0.0.1 port {port} (Address already in use); ")
            assert said.endswith("choose another address or port with KEYBEARER_METRICS_LISTEN")
            bare_terminal.set(METRICS_LISTEN="")


@pytest.mark.parametrize(
    ("host", "said"),
    [("a..b", "cannot listen on a..b port 0 (Name or service not known); "), ("", "--host is empty; ")],
)
def test_an_address_that_is_none(bare_terminal: Terminal, host: str, said: str) -> None:
    assert bare_terminal.refused("serve", "--port", "0", "--host", host).startswith(said)
