"""RFC 9728, Protected Resource Metadata."""

from tests.support.oauth import Play

ISSUER = "https://keybearer.test"
RESOURCE = "/.well-known/oauth-protected-resource"


async def test_2_the_api_tells_whose_tokens_it_takes_and_where(play: Play) -> None:
    told = (await play.house.program().get(f"{RESOURCE}/api/v2")).json()
    assert told["resource"] == f"{ISSUER}/api/v2"
    assert told["authorization_servers"] == [ISSUER]
    assert told["bearer_methods_supported"] == ["header"]


async def test_3_each_identifier_has_its_document_and_others_have_none(play: Play) -> None:
    program = play.house.program()
    assert (await program.get(RESOURCE)).json()["resource"] == ISSUER
    assert (await program.get(f"{RESOURCE}/elsewhere")).status_code == 404
