"""RFC 9207, Authorization Server Issuer Identification."""

from tests.support.oauth import Play, brought

SERVER = "/.well-known/oauth-authorization-server"


async def test_2_every_answer_names_the_issuer_exactly_as_the_metadata_does(play: Play) -> None:
    issuer = (await play.house.program().get(SERVER)).json()["issuer"]
    answers = [brought(await play.ask(response_type="token")), brought(await play.ask(prompt="none"))]
    for decision in ("deny", "allow"):
        await play.ask()
        answers.append(brought(await play.decide(decision)))
    assert [answer["iss"] for answer in answers] == [issuer] * 4


async def test_3_the_metadata_says_so(play: Play) -> None:
    assert (await play.house.program().get(SERVER)).json()["authorization_response_iss_parameter_supported"] is True
