"""oauth4webapi (npm) checks every answer on its own, and accepts each."""

import pytest

from tests.interop.town import Drive, Town
from tests.support.people import Person


@pytest.mark.parametrize("kind", ["confidential", "public"])
async def test_each_step_is_answered_as_its_rfc_says(town: Town, ada: Person, drive: Drive, kind: str) -> None:
    app = await ada.register(f"oauth4webapi {kind}", kind=kind)
    told = await drive("oauth4webapi", app, ada)
    assert told["server"]["issuer"] == town.url
    assert told["before"] == told["after"]
    assert told["before"]["email"] == "ada@example.com"
    assert (told["replaced"]["status"], told["revoked"]["status"]) == (401, 401)
    assert (told["unknown"]["status"], told["unknown"]["error"]) == (400, "invalid_grant")
    assert set(told["first"]) == {"access_token", "expires_in", "refresh_token", "token_type"}
