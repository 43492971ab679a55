"""The APIs of the guide, as it shows them, take a token of a real server and refuse a call without one."""

import asyncio
from typing import Any

import pytest
from starlette.testclient import TestClient

from keybearer.server.pages.markdown import fenced
from tests.docs.conftest import Office
from tests.support.people import Person


async def api_of(guide: str, ada: Person, office: Office, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the application of the guide's example that begins so, made as it stands there."""
    text = (await ada.browser.get("/docs/protecting.md")).text
    [example] = [block.text for run in fenced(text) for block in run if f"from {guide} import" in block.text]
    monkeypatch.setenv("KEYBEARER_KEY", office.key)
    made: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(example, guide, "exec"), made)  # noqa: S102 - the guide's own example
    return made["app"]


async def test_the_example_for_fastapi_lets_in_a_good_token_only(
    office: Office, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, token = await api_of("fastapi", ada, office, monkeypatch), await ada.make_token("FastAPI")

    def called() -> None:
        with TestClient(app) as client:
            assert client.get("/people").status_code == 401
            said = client.get("/people", headers={"authorization": f"Bearer {token}"})
            assert (said.status_code, said.json()) == (200, {"asked_by": ada.email})

    await asyncio.to_thread(called)


async def test_the_example_for_flask_lets_in_a_good_token_only(
    office: Office, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, token = await api_of("flask", ada, office, monkeypatch), await ada.make_token("Flask")

    def called() -> None:
        client = app.test_client()
        assert client.get("/people").status_code == 401
        said = client.get("/people", headers={"Authorization": f"Bearer {token}"})
        assert (said.status_code, said.json) == (200, {"asked_by": ada.email})
        app.extensions["keybearer"].close()

    await asyncio.to_thread(called)
