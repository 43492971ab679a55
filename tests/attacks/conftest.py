"""What every attack is watched for: no secret in a log, no answer of 500 and above."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.databases import copy_sqlite
from tests.support.processes import ServerProcess, running, scraped_server

_SECRET: Final = re.compile(r"kb_(?:pat|oat|ort|rsk|ocs|oac)_(?:live|test)_[0-9A-Za-z]{38}")
_FAILED: Final = re.compile(r"status=5\d\d|\[error|Traceback")


@pytest.fixture(autouse=True)
def watched(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Read what was logged when the attack is over."""
    yield
    logged = "".join(capsys.readouterr())
    assert not _SECRET.search(logged), "a secret is in the log"
    assert not _FAILED.search(logged), logged


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[ServerProcess]:
    """Run a server that gives a request one second to arrive; what is attacked here lies in front of any database."""
    folder = tmp_path_factory.mktemp("impatient")
    url = copy_sqlite(migrated_sqlite, folder / "keybearer.db")
    with running(scraped_server(folder, url, {"KEYBEARER_REQUEST_TIMEOUT": "1"})) as server:
        yield server
