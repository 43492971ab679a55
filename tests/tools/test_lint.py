"""The house's own lint finds what it is there to find, and nothing else."""

from pathlib import Path, PurePosixPath

import pytest

from tools.lint import MIGRATIONS, findings, main

ACTION = "src/keybearer/server/actions/revoke_grant.py"
ADVICE = "give it the next one"
STORE = "src/keybearer/server/store/codes.py"
LONG_FUNCTION = "def f():\n" + "    x = 1\n" * 40
FITTING_FUNCTION = "def f():\n" + "    x = 1\n" * 39

WRONG = [
    pytest.param("one_verb_one_file", ACTION, "def revoke_grant(): ...\ndef more(): ...\n", id="two verbs"),
    pytest.param("one_verb_one_file", ACTION, "async def end_grant(): ...\n", id="a verb of another name"),
    pytest.param("one_verb_one_file", ACTION, "X = 1\n", id="no verb"),
    pytest.param("only_edges_catch_everything", STORE, "try: f()\nexcept Exception: pass\n", id="except Exception"),
    pytest.param("only_edges_catch_everything", STORE, "try: f()\nexcept: pass\n", id="bare except"),
    pytest.param("only_edges_catch_everything", STORE, "try: f()\nexcept (A, BaseException): g()\n", id="in a tuple"),
    pytest.param(
        "only_edges_catch_everything", STORE, "try: f()\nexcept Exception as e: raise B from e\n", id="turned"
    ),
    pytest.param("functions_fit_one_look", STORE, LONG_FUNCTION, id="41 lines"),
    pytest.param("functions_fit_one_look", STORE, "def f(self, tx, a, b, c, *, d, e, g): ...\n", id="six parameters"),
    pytest.param("files_stay_short", STORE, "x = 1\n" * 301, id="301 lines"),
    pytest.param("the_environment_is_read_once", STORE, "import os\nos.environ['A']\n", id="os.environ"),
    pytest.param("the_environment_is_read_once", STORE, "import os\nos.getenv('A')\n", id="os.getenv"),
    pytest.param("the_environment_is_read_once", STORE, "from os import environ\n", id="from os import environ"),
    pytest.param("one_clock", STORE, "import time\ntime.time()\n", id="time.time"),
    pytest.param("one_clock", STORE, "import time\nf(now=time.time_ns)\n", id="time.time_ns handed on"),
    pytest.param("one_clock", STORE, "from time import time\n", id="from time import time"),
    pytest.param("one_clock", STORE, "import datetime\ndatetime.datetime.now()\n", id="datetime.datetime.now"),
    pytest.param("one_clock", STORE, "from datetime import datetime\ndatetime.now()\n", id="datetime.now"),
]

RIGHT = [
    pytest.param(ACTION, "def _help(): ...\nasync def revoke_grant(): ...\n", id="one verb and what it needs"),
    pytest.param("src/keybearer/server/actions/__init__.py", "", id="the folder itself"),
    pytest.param(STORE, "try: f()\nexcept BaseException:\n    g()\n    raise\n", id="tidied up and raised again"),
    pytest.param(STORE, "try: f()\nexcept ValueError: pass\n", id="one kind of exception"),
    pytest.param("src/keybearer/cli/main.py", "try: f()\nexcept Exception: pass\n", id="at an edge"),
    pytest.param("src/keybearer/server/store/migrations/0001.py", LONG_FUNCTION * 8, id="a migration is one list"),
    pytest.param(STORE, FITTING_FUNCTION, id="40 lines"),
    pytest.param(STORE, "def f(self, tx, a, b, c, *, d, e): ...\n", id="five parameters"),
    pytest.param(STORE, "x = 1\n" * 300, id="300 lines"),
    pytest.param("src/keybearer/server/settings.py", "import os\nos.environ\n", id="settings read the environment"),
    pytest.param("src/keybearer/server/clock.py", "import time\ntime.time_ns()\n", id="the clock reads the time"),
    pytest.param(STORE, "import time\ntime.monotonic()\n", id="a duration is no time of day"),
    pytest.param("tests/test_codes.py", "import time\ntime.time()\n" + LONG_FUNCTION, id="a test may"),
]


@pytest.mark.parametrize(("rule", "path", "text"), WRONG)
def test_a_wrong_file_is_found_by_just_its_rule(rule: str, path: str, text: str) -> None:
    found = findings(PurePosixPath(path), text)
    assert len(found) == 1
    assert f"[{rule}]" in found[0]
    assert "Why: " in found[0]


@pytest.mark.parametrize(("path", "text"), RIGHT)
def test_a_right_file_is_left_alone(path: str, text: str) -> None:
    assert findings(PurePosixPath(path), text) == []


def test_the_exit_code_tells_whether_something_was_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / STORE
    file.parent.mkdir(parents=True)
    file.write_text("x = 1\n")
    assert main(tmp_path) == 0
    assert capsys.readouterr().out == ""
    file.write_text("import time\n\nnow = time.time()\n")
    assert main(tmp_path) == 1
    assert capsys.readouterr().out.startswith(f"{STORE}:3: [one_clock] ")


def test_a_migrations_number_that_is_taken_twice_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / MIGRATIONS
    folder.mkdir(parents=True)
    for name in ("0001_first", "0002_second"):
        (folder / f"{name}.py").write_text('"""A migration."""\n')
    assert main(tmp_path) == 0
    (folder / "0002_other.py").write_text('"""Made on another branch."""\n')
    assert main(tmp_path) == 1
    assert capsys.readouterr().out == f"{MIGRATIONS}/0002_second.py:1: has the number of 0002_other.py: {ADVICE}\n"
