"""RFC 8414, Authorization Server Metadata."""

from tests.support.oauth import Play

ISSUER = "https://keybearer.test"
SERVER = "/.well-known/oauth-authorization-server"


async def test_2_what_is_told_of_the_server_is_true(play: Play) -> None:
    told = (await play.house.program().get(SERVER)).json()
    assert told["issuer"] == ISSUER
    assert told["response_types_supported"] == ["code"]
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert set(told["grant_types_supported"]) == {"authorization_code", "refresh_token"}
    assert set(told["scopes_supported"]) == set(play.house.settings.permissions)
    program = play.house.program()
    for name in ("token_endpoint", "revocation_endpoint", "introspection_endpoint"):
        assert (await program.post(told[name], data={"client_id": "nobody0"})).json()["error"] == "invalid_client"
    assert (await program.get(told["authorization_endpoint"])).status_code == 400
    assert all(value not in ([], None, "") for value in told.values())


async def test_3_the_document_is_json_at_the_well_known_place_whatever_the_host_header_says(play: Play) -> None:
    for headers in ({}, {"host": "evil.example"}, {"x-forwarded-host": "evil.example", "x-forwarded-proto": "http"}):
        answer = await play.house.program().get(SERVER, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert "evil" not in answer.text
    assert (await play.house.program().post(SERVER)).status_code == 405
