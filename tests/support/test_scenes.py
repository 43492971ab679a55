"""A scene is accepted by both databases and its tokens are good."""

from keybearer.wire.denial import Denial, Reason
from keybearer.wire.principal import Principal
from tests.support.house import House
from tests.support.scenes import Scene


async def _bearer(house: House, text: str) -> Principal | Denial:
    return await house.node.bearers.bearer(text, house.node.now(), "here")


async def test_a_token_of_a_scene_acts_as_its_user_in_its_team(house: House) -> None:
    scene = Scene(house.node)
    ada = await scene.person("Ada")
    team = await scene.team("Acme", owner=ada)
    principal = await _bearer(house, await scene.personal_token(ada, team))
    assert isinstance(principal, Principal)
    assert (principal.user_id, principal.team_id, principal.role) == (ada.user_id, team.team_id, "owner")


async def test_a_role_changed_by_hand_changes_the_token_at_once(house: House) -> None:
    scene = Scene(house.node)
    ada = await scene.person("Ada")
    team = await scene.team("Acme", owner=ada)
    text = await scene.personal_token(ada, team)
    await scene.member(team, ada, "read-only")
    principal = await _bearer(house, text)
    assert isinstance(principal, Principal)
    assert not principal.can("team:manage")


async def test_an_unknown_but_well_formed_token_is_unknown(house: House) -> None:
    scene = Scene(house.node)
    ada = await scene.person("Ada")
    team = await scene.team("Acme", owner=ada)
    app = await scene.app("App", team, ada, "https://app.example.com/cb")
    assert app.secret
    denial = await _bearer(house, app.secret)
    assert isinstance(denial, Denial)
    assert denial.reason is Reason.WRONG_KIND
