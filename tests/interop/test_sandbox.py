"""What is registered in a sandbox reaches sandboxes, and what is live reaches live teams."""

from itertools import count
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.interop.town import People, Town
from tests.support.people import Person, RegisteredApp

_NUMBERS = count(1)


def link(town: Town, app: RegisteredApp) -> str:
    asked = {"client_id": app.client_id, "redirect_uri": app.redirect_uri, "response_type": "code", "state": "s"}
    return f"{town.url}/oauth/authorize?{urlencode(asked)}"


async def registered_in(town: Town, person: Person, team: str) -> RegisteredApp:
    await person.switch_team(town.teams[team])
    return await person.register(f"App {next(_NUMBERS)} of {team}")


@pytest.mark.parametrize("town", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize(("home", "other"), [("Dune", "Elm"), ("Elm", "Dune")], ids=["sandbox app", "live app"])
async def test_an_app_cannot_be_let_into_a_team_of_the_other_environment(
    town: Town, signed_in: People, home: str, other: str
) -> None:
    ada = await signed_in("ada")
    app = await registered_in(town, ada, home)
    await ada.switch_team(town.teams[other])
    page = await ada.browser.get(link(town, app))
    form, _ = page.button("decision=allow")
    assert str(town.teams[other]) not in [value for _, value in form.values]
    forged = [pair for pair in form.values if pair[0] != "team"]
    forged += [("team", str(town.teams[other])), ("decision", "allow")]
    refused = await ada.browser.post(form.action or page.url, forged)
    assert refused.status in {400, 403, 404, 422}, refused.text
    assert "code=" not in refused.location


async def test_the_team_is_picked_among_those_of_the_apps_environment(town: Town, signed_in: People) -> None:
    ada = await signed_in("ada")
    app = await registered_in(town, ada, "Acme")
    await ada.switch_team(town.teams["Elm"])
    page = await ada.browser.get(link(town, app))
    offered = {name for name in ("Acme", "Birch", "Cedar", "Dune", "Elm") if name in page.text}
    assert offered == {"Acme", "Birch", "Cedar", "Dune"}


async def test_somebody_without_a_team_there_can_only_go_back(town: Town, signed_in: People) -> None:
    ada, cy = await signed_in("ada"), await signed_in("cy")
    app = await registered_in(town, ada, "Elm")
    page = await cy.browser.get(link(town, app))
    with pytest.raises(LookupError):
        page.button("decision=allow")
    landed = await cy.consent(link(town, app), "deny")
    assert parse_qs(urlsplit(landed).query)["error"] == ["access_denied"]


async def test_the_text_of_a_token_tells_its_environment(town: Town, signed_in: People) -> None:
    ada = await signed_in("ada")
    for team, word in (("Dune", "test"), ("Elm", "live")):
        await ada.switch_team(town.teams[team])
        assert (await ada.make_token(f"Token of {team}")).split("_")[2] == word
