"""RFC 6749, The OAuth 2.0 Authorization Framework: what an authorization server must do."""

from urllib.parse import parse_qs, urlsplit

from tests.support.oauth import CALLBACK, Play, brought, refused

TOKEN = "/oauth/token"
TRADE = {"grant_type": "authorization_code", "code": "x", "redirect_uri": CALLBACK}


async def test_2_3_a_client_uses_one_method_of_authentication_a_request(play: Play) -> None:
    auth = (play.app.client.client_id, play.app.secret)
    form = TRADE | {"client_secret": play.app.secret}
    assert refused(await play.house.program().post(TOKEN, data=form, auth=auth)) == (400, "invalid_request")


async def test_2_3_1_basic_is_supported_and_the_address_is_no_place_for_credentials(play: Play) -> None:
    auth = (play.app.client.client_id, play.app.secret)
    form = TRADE | {"code": await play.code()}
    in_the_address = {"client_id": auth[0], "client_secret": auth[1]}
    answer = await play.house.program().post(TOKEN, data=form, params=in_the_address)
    assert refused(answer) == (400, "invalid_request")
    assert (await play.house.program().post(TOKEN, data=form, auth=auth)).status_code == 200


async def test_3_1_a_query_of_the_registered_address_is_kept(play: Play) -> None:
    app = await play.scene.app("With a query", play.acme, play.ada, f"{CALLBACK}?kept=1&code=own")
    await play.ask(app, redirect_uri=f"{CALLBACK}?kept=1&code=own")
    page = await play.decide("deny")
    assert page.location.startswith(f"{CALLBACK}?kept=1&code=own&error=access_denied&")
    assert parse_qs(urlsplit(page.location).query)["kept"] == ["1"]


async def test_3_1_empty_parameters_count_as_left_out_and_unknown_ones_as_not_there(play: Play) -> None:
    page = await play.ask(scope="", code_challenge="", prompt="", response_mode="", request="", unheard_of="x")
    assert page.status == 200
    assert brought(await play.ask(response_type=""))["error"] == "invalid_request"


async def test_3_1_no_parameter_may_stand_twice(play: Play) -> None:
    browser = await play.browser(play.ada)
    page = await browser.get(play.link(play.app) + "&scope=&scope=team%3Aread")
    assert (page.status, page.location) == (400, "")


async def test_3_1_a_request_without_a_client_is_told_so(play: Play) -> None:
    for client_id in (None, ""):
        page = await play.ask(client_id=client_id)
        assert (page.status, page.location) == (400, "")
        assert "client_id is missing" in page.text


async def test_3_1_1_an_unknown_response_type_is_told_to_the_app(play: Play) -> None:
    assert brought(await play.ask(response_type="token"))["error"] == "unsupported_response_type"
    assert brought(await play.ask(response_type=None))["error"] == "invalid_request"


async def test_3_1_2_an_address_with_a_fragment_is_not_registered(play: Play) -> None:
    browser = await play.browser(play.ada)
    await browser.get("/settings/clients/new")
    fields = {"name": "Fragment", "redirect_uris": f"{CALLBACK}#there", "kind": "confidential"}
    page = await browser.fill_and_submit("Create API client", **fields)
    assert page.status == 422
    assert "fragment" in page.text


async def test_3_1_2_3_the_address_may_be_left_out_only_where_one_is_registered(play: Play) -> None:
    assert (await play.ask(redirect_uri=None)).status == 200
    two = await play.scene.app("Two", play.acme, play.ada, CALLBACK, f"{CALLBACK}2")
    page = await play.ask(two, redirect_uri=None)
    assert (page.status, page.location) == (400, "")


async def test_3_1_2_4_a_bad_address_is_told_to_the_person_and_not_gone_to(play: Play) -> None:
    page = await play.ask(redirect_uri="https://evil.example/cb")
    assert (page.status, page.location) == (400, "")
    assert "not registered" in page.text


async def test_3_2_the_token_endpoint_takes_post_alone_and_each_parameter_once(play: Play) -> None:
    assert (await play.house.program().get(TOKEN, params=TRADE)).status_code == 405
    body = f"grant_type=refresh_token&grant_type=refresh_token&client_id={play.app.client.client_id}"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await play.house.program().post(TOKEN, content=body.encode(), headers=headers)
    assert refused(answer) == (400, "invalid_request")


async def test_3_2_empty_parameters_count_as_left_out_there_too(play: Play) -> None:
    code = await play.code()
    assert (await play.exchange(code, scope="", code_verifier="", unheard_of="x")).status_code == 200
    assert refused(await play.exchange("")) == (400, "invalid_request")


async def test_3_3_a_scope_is_a_set_of_words_and_told_where_it_differs(play: Play) -> None:
    assert (await play.pair(scope="team:read members:read"))["scope"] == "members:read team:read"
    assert (await play.pair(scope="team:read  team:read"))["scope"] == "team:read"
    assert "scope" not in await play.pair()
    assert brought(await play.ask(scope="team:read nonsense"))["error"] == "invalid_scope"


async def test_4_1_2_a_code_is_for_its_client_and_its_address(play: Play) -> None:
    other = await play.scene.app("Other", play.acme, play.ada, CALLBACK)
    assert refused(await play.exchange(await play.code(), other)) == (400, "invalid_grant")
    assert refused(await play.exchange(await play.code(), redirect_uri=f"{CALLBACK}/")) == (400, "invalid_grant")


async def test_4_1_2_a_second_use_is_refused_and_ends_the_tokens_of_the_first(play: Play) -> None:
    code = await play.code()
    pair = (await play.exchange(code)).json()
    assert refused(await play.exchange(code)) == (400, "invalid_grant")
    assert await play.status(pair["access_token"]) == 401


async def test_4_1_2_1_the_apps_state_comes_back_with_errors(play: Play) -> None:
    told = brought(await play.ask(response_type="token", state="mine"))
    assert told["state"] == "mine"
    assert told["error_description"].isascii()
    assert not set('"\\') & set(told["error_description"])


async def test_4_1_3_the_address_is_named_again_if_it_was_named_before(play: Play) -> None:
    assert refused(await play.exchange(await play.code(), redirect_uri=None)) == (400, "invalid_grant")
    unnamed = await play.code(redirect_uri=None)
    assert (await play.exchange(unnamed, redirect_uri=None)).status_code == 200
    assert (await play.exchange(await play.code(redirect_uri=None))).status_code == 200


async def test_5_1_answers_with_tokens_are_not_kept(play: Play) -> None:
    answer = await play.exchange(await play.code())
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    assert answer.headers["content-type"] == "application/json"
    assert {"access_token", "token_type"} <= set(answer.json())


async def test_5_2_errors_have_their_status_and_word(play: Play) -> None:
    pair = await play.pair(scope="team:read")
    text = pair["refresh_token"]
    assert refused(await play.post(TOKEN)) == (400, "invalid_request")
    assert refused(await play.post(TOKEN, grant_type="x")) == (400, "unsupported_grant_type")
    assert refused(await play.refresh("x")) == (400, "invalid_grant")
    assert refused(await play.refresh(text, scope="team:read team:manage")) == (400, "invalid_scope")
    assert refused(await play.post(TOKEN, play.public, grant_type="client_credentials")) == (400, "unauthorized_client")
    auth = (play.app.client.client_id, "wrong")
    answer = await play.house.program().post(TOKEN, data=TRADE, auth=auth)
    assert refused(answer) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic realm=")


async def test_5_2_a_description_has_none_but_the_characters_it_may_have(play: Play) -> None:
    auth = (play.app.client.client_id, play.app.secret)
    for name in ('a"\\', "\u00e4", "a\n", play.app.secret, "a" * 5000):
        answer = await play.house.program().post(TOKEN, data={name: ["1", "2"]}, auth=auth)
        assert refused(answer) == (400, "invalid_request"), name
        assert answer.json()["error_description"] == "A parameter is repeated. Send each once.", name


async def test_6_a_refresh_needs_its_client_and_never_widens(play: Play) -> None:
    pair = await play.pair(scope="team:read")
    assert refused(await play.refresh(pair["refresh_token"], client_secret=None)) == (401, "invalid_client")
    assert refused(await play.refresh(pair["refresh_token"], play.public)) == (400, "invalid_grant")
    assert refused(await play.refresh(pair["refresh_token"], scope="members:read")) == (400, "invalid_scope")
    assert (await play.refresh(pair["refresh_token"])).json()["scope"] == "team:read"
