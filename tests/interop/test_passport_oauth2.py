"""passport-oauth2 (npm), which sends its secret in the form, works with PKCE and without."""

import pytest

from tests.interop.town import Drive
from tests.support.people import Person


@pytest.mark.parametrize("pkce", [True, False], ids=["with PKCE", "without PKCE"])
async def test_a_sign_in_button_gets_tokens(ada: Person, drive: Drive, pkce: bool) -> None:
    app = await ada.register(f"passport {pkce}")
    told = await drive("passport_oauth2", app, ada, pkce=pkce, decision="allow")
    assert told["first"]["parameters"]["token_type"] == "Bearer"
    assert told["before"]["body"]["email"] == told["after"]["body"]["email"] == "ada@example.com"
    assert told["replaced"]["status"] == 401


async def test_somebody_who_denies_is_not_signed_in(ada: Person, drive: Drive) -> None:
    app = await ada.register("passport denied")
    told = await drive("passport_oauth2", app, ada, pkce=True, decision="deny")
    assert set(told) == {"failed"}
