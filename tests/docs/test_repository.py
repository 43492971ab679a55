"""What the repository's own documents say is so: settings, commands, files, functions, links."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import typer
from pydantic import SecretStr
from starlette.routing import Route

from keybearer.cli.main import app
from keybearer.server.metrics.table import METRICS
from keybearer.server.pages.markdown import anchor_of
from keybearer.server.roles import DEFAULT_PERMISSIONS
from keybearer.server.settings import Settings
from tests.support.house import House

ROOT: Final = Path(__file__).parents[2]
SERVER: Final = ROOT / "src/keybearer/server"
DOCUMENTS: Final = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md"))
    if path.is_file()
)
LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
METHODS: Final = ("GET ", "POST ", "PATCH ", "DELETE ")
# Words in backticks in flows.md that name neither file, function nor door.
WORDS: Final = {"src/keybearer/server/", "add", "no-store", "code", "state", "iss"}


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def rows(text: str) -> list[list[str]]:
    """Return the cells of every table row that begins with code."""
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_between_documents_lead_somewhere(name: str) -> None:
    for link in LINK.findall(read(name)):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        if link.startswith("docs/pictures/"):  # taken by `make pictures`, by the browser tests
            assert f'camera.look(page, "{Path(path).stem}")' in read("tests/browser/test_main_journey.py"), link
            continue
        assert target.exists(), (name, link)
        if anchor:
            assert anchor in {anchor_of(line.lstrip("# ")) for line in target.read_text("utf-8").splitlines()}, link


def test_words_have_one_kind_of_apostrophe() -> None:
    """The straight one: a sentence on a page is the same in JSON and at the terminal."""
    shown = [path for kind in ("py", "html", "md", "yaml") for path in (ROOT / "src").rglob(f"*.{kind}")]
    texts = {path: path.read_text("utf-8") for path in [*shown, *(ROOT / name for name in DOCUMENTS)]}
    assert len(texts) > 400
    assert [path.name for path, text in texts.items() if {"\u2018", "\u2019"} & set(text)] == []


def test_settings_are_described_as_they_are() -> None:
    described = {variable.strip("`"): cells for variable, *cells in rows(read("docs/settings.md"))}
    expected = {f"KEYBEARER_{name.upper()}": field for name, field in Settings.model_fields.items()}
    assert [name for name in described if name.startswith("KEYBEARER_")] == list(expected)
    for variable, field in expected.items():
        default, meaning = described[variable]
        assert meaning == field.description, variable
        assert default == shown(field.get_default(call_default_factory=True)), variable


def shown(default: object) -> str:
    if isinstance(default, dict):
        return "below"
    plain = default.get_secret_value() if isinstance(default, SecretStr) else default
    return f"`{plain}`" if plain else "empty"


def test_the_example_of_a_settings_file_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "keybearer.toml"
    file.write_text(re.findall(r"```toml\n(.*?)```", read("docs/settings.md"), re.DOTALL)[0], "utf-8")
    monkeypatch.setenv("KEYBEARER_CONFIG", str(file))
    settings = Settings()
    assert settings.token_prefix == "acme"
    assert settings.role_permissions["member"] == {"team:read", "members:read", "invoices:read", "invoices:write"}
    assert settings.role_permissions["owner"] == set(settings.permissions)
    asked_for = {name for name in DEFAULT_PERMISSIONS if not name.startswith("clients:")}
    assert asked_for <= set(settings.permissions)


def test_metrics_are_described_as_they_are() -> None:
    described = [
        cells for cells in rows(read("docs/operations.md")) if cells[0].startswith(("`keybearer_", "`process_"))
    ]
    assert described == [
        [f"`{name}`", metric.kind, ", ".join(f"`{label}`" for label in metric.labels), metric.words]
        for name, metric in METRICS.items()
    ]


def commands() -> dict[str, Any]:
    """Return every command as it is typed -> the command."""
    return dict(_commands(typer.main.get_command(app), "keybearer"))


def _commands(command: Any, typed: str) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        arguments = [each.metavar for each in command.params if each.param_type_name == "argument"]
        yield " ".join([typed, *arguments]), command
        return
    for name, each in below.items():
        yield from _commands(each, f"{typed} {name}")


def test_commands_are_described_as_they_are() -> None:
    sections = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", read("docs/commands.md"), re.DOTALL | re.MULTILINE))
    assert list(sections) == list(commands())
    for typed, command in commands().items():
        options = [each for each in command.params if each.param_type_name == "option"]
        described = [[each.opts[0], default_of(each), each.help] for each in options]
        assert [[cells[0].strip("`"), *cells[1:]] for cells in rows(sections[typed])] == described, typed
        first = " ".join(command.help.split())
        assert first.rstrip(".") in " ".join(sections[typed].split()), typed


def test_every_command_prints_what_it_prints_for_programs_too() -> None:
    assert all("--json" in [each.opts[0] for each in command.params] for command in commands().values())


def default_of(option: Any) -> str:
    if option.required:
        return "required"
    return "" if option.is_flag or option.default is None else f"`{option.default}`"


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/operations.md"])
def test_commands_that_are_told_to_be_typed_exist(name: str) -> None:
    known = [typed.split(" ") for typed in commands()]
    targets = re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE)
    text = read(name)
    for target in re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE):
        assert target in targets, target
    for typed in re.findall(r"(?:^|`)keybearer ([a-z ]+[a-z])", text, re.MULTILINE):
        words = ["keybearer", *typed.split(" ")]
        assert any(words[: len(verb)] == verb for verb in map(_without_arguments, known)), typed


def _without_arguments(words: list[str]) -> list[str]:
    return [word for word in words if not word.isupper()]


def test_every_file_and_function_of_the_flows_exists() -> None:
    named = set(re.findall(r"`([^`]+)`", read("docs/flows.md")))
    assert len(named) > 80
    missing = {name for name in named - WORDS if not name.startswith(METHODS) and not exists(name)}
    assert not missing


def exists(name: str) -> bool:
    """Tell whether a file or folder of the server, or a function or class in one of its modules, is there."""
    for root, package in ((SERVER, "keybearer.server"), (SERVER.parent, "keybearer")):
        if (root / name).exists():
            return True
        module, _, function = name.partition(".")
        if function and (root / f"{module}.py").exists():
            found: Any = importlib.import_module(f"{package}.{module.replace('/', '.')}")
            for step in function.split("."):
                found = getattr(found, step, None)
            return found is not None
    return False


def test_every_file_of_the_decisions_exists() -> None:
    decisions = "".join(read(name) for name in DOCUMENTS if name.startswith("docs/decisions/"))
    named = set(re.findall(r"`([\w/.]+/[\w.]+\.(?:py|mjs|js))`", decisions))
    assert len(named) > 60
    assert not {name for name in named if not any((root / name).exists() for root in (ROOT, SERVER.parent, SERVER))}


async def test_every_door_of_the_flows_exists(house: House) -> None:
    doors = {
        (method, route.path)
        for route in house.app.routes
        if isinstance(route, Route)
        for method in route.methods or [method.strip() for method in METHODS]  # None: every method
    }
    named = [name for name in re.findall(r"`([^`]+)`", read("docs/flows.md")) if name.startswith(METHODS)]
    assert len(named) > 8
    assert not {name for name in named if tuple(name.split(" ")) not in doors}


@pytest.mark.parametrize(
    ("name", "is_there"),
    [
        pytest.param("store/codes.add", True, id="a function"),
        pytest.param("store/codes.give", False, id="no such function"),
        pytest.param("pages/docs.py", True, id="a file"),
        pytest.param("pages/dogs.py", False, id="no such file"),
        pytest.param("node.Node.act", True, id="a method"),
    ],
)
def test_what_is_named_is_looked_for(name: str, *, is_there: bool) -> None:
    assert exists(name) is is_there
