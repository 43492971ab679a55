"""The running server does what its OpenAPI description says: schemathesis makes requests up and judges the answers."""

import asyncio
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from keybearer.server.api.endpoints import BASE
from keybearer.server.api.routes import ENDPOINTS
from tests.support.databases import copy_sqlite
from tests.support.people import PASSWORD, at_browser, told
from tests.support.processes import ServerProcess, running_server

DESCRIPTION: dict[str, Any] = yaml.safe_load(files("keybearer.server.api").joinpath("openapi.yaml").read_text("utf-8"))
SCHEMA = schemathesis.openapi.from_dict(DESCRIPTION)
TOKEN = f"{BASE}/token"
JUDGES = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# The same examples in every run, few enough for every run.
BOUNDED = settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Run a server whose rate limit is out of the way; give its address and the header of an owner's token."""
    folder = tmp_path_factory.mktemp("conformance")
    url = copy_sqlite(migrated_sqlite, folder / "keybearer.db")
    with running_server(folder, url, {"KEYBEARER_RATE_LIMIT": "999999/second"}) as server:
        told(
            server, "user", "add", "ada@example.com", "--name", "Ada", "--password-stdin", "--verified", stdin=PASSWORD
        )
        told(server, "team", "add", "Acme", "--environment", "sandbox", "--owner", "ada@example.com")
        yield server.url, {"authorization": f"Bearer {asyncio.run(_made_token(server))}"}


async def _made_token(server: ServerProcess) -> str:
    async with at_browser(server, "ada") as ada:
        await ada.sign_in()
        return await ada.make_token("schemathesis")


@SCHEMA.exclude(method="DELETE", path=TOKEN).parametrize()
@BOUNDED
def test_every_answer_is_one_that_is_described(
    case: schemathesis.Case[Any], running: tuple[str, dict[str, str]]
) -> None:
    address, headers = running
    answer = case.call(base_url=address, headers=headers, timeout=30)
    case.validate_response(answer, checks=JUDGES)


@SCHEMA.parametrize()
@settings(BOUNDED, max_examples=2)
def test_a_stranger_is_answered_as_described_too(
    case: schemathesis.Case[Any], running: tuple[str, dict[str, str]]
) -> None:
    answer = case.call(base_url=running[0], headers={"authorization": "Bearer kb_pat_test_x"}, timeout=30)
    case.validate_response(answer, checks=JUDGES)
    is_public = case.path.endswith("openapi.json")
    assert answer.status_code in ({200, 405} if is_public else {401, 405})  # methods that are not there are tried too


def test_the_description_names_every_endpoint_and_nothing_else() -> None:
    described = {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path))
        for path, methods in DESCRIPTION["paths"].items()
        for method in methods
        if method in {"get", "post", "put", "patch", "delete"}
    }
    served = {(each.method, BASE + re.sub(r"\{\w+\}", "{}", each.path)) for each in ENDPOINTS}
    assert described == served | {("GET", f"{BASE}/openapi.json")}
