"""A server whose files an upgrade replaces goes on with those that it was started with."""

import shutil
import subprocess
import sys
from pathlib import Path

import keybearer

PROGRAM = """
import shutil, sys
import keybearer.server.app
from keybearer.server.http.description import description
from keybearer.server.pages import handbook, render
from keybearer.server.settings import Settings
shutil.rmtree(sys.argv[1])
for name in render._ENVIRONMENT.list_templates():
    render._ENVIRONMENT.get_template(name)
for guide in handbook.GUIDES:
    if guide is not handbook.API_REFERENCE:
        assert handbook.text_of(guide, Settings())
assert description("https://auth.example.com")["paths"]
print(len(render._ENVIRONMENT.list_templates()))
"""


def test_pages_guides_and_the_description_need_no_file_once_the_server_runs(tmp_path: Path) -> None:
    copy = tmp_path / "src"
    shutil.copytree(Path(keybearer.__file__).parent, copy / "keybearer")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(copy)],
        env={"PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert (done.returncode, int(done.stdout or 0) > 50) == (0, True), done.stderr
