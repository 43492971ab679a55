"""simple-oauth2 (npm) works as it is, its empty scope and its revocation included."""

import pytest

from tests.interop.town import Drive
from tests.support.people import Person


@pytest.mark.parametrize(
    ("client", "scope"),
    [
        pytest.param({"authorizationMethod": "header"}, {}, id="secret by Basic"),
        pytest.param({"authorizationMethod": "body"}, {}, id="secret in the form"),
        pytest.param({"credentialsEncodingMode": "loose"}, {}, id="secret by Basic, unescaped"),
        pytest.param({}, {"scope": ""}, id="empty scope"),
    ],
)
async def test_it_gets_in_refreshes_and_leaves(
    ada: Person, drive: Drive, client: dict[str, str], scope: dict[str, str]
) -> None:
    app = await ada.register(f"simple-oauth2 {client} {len(scope)}")
    told = await drive("simple_oauth2", app, ada, client=client, scope=scope)
    assert told["state"] == "a state of its own"
    assert told["before"]["body"]["email"] == told["after"]["body"]["email"] == "ada@example.com"
    assert "scope" not in told["first"]
    assert told["isExpired"] is False
    assert (told["replaced"]["status"], told["revoked"]["status"]) == (401, 401)
