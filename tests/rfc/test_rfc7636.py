"""RFC 7636, Proof Key for Code Exchange."""

import pytest

from tests.support.oauth import CHALLENGE, PROVEN, VERIFIER, Play, brought, refused


async def test_appendix_b_the_rfcs_own_verifier_fits_its_challenge(play: Play) -> None:
    assert (await play.exchange(await play.code(**PROVEN), code_verifier=VERIFIER)).status_code == 200


@pytest.mark.parametrize("length", [43, 128])
async def test_4_1_a_verifier_has_43_to_128_characters(play: Play, length: int) -> None:
    code = await play.code(**PROVEN)
    assert refused(await play.exchange(code, code_verifier="~" * length)) == (400, "invalid_grant")
    assert refused(await play.exchange(code, code_verifier=VERIFIER)) == (400, "invalid_grant")  # it was a real guess


async def test_4_3_without_a_method_it_would_be_plain_which_is_not_offered(play: Play) -> None:
    told = brought(await play.ask(code_challenge=CHALLENGE))
    assert told["error"] == "invalid_request"
    assert "S256" in told["error_description"]


async def test_4_4_1_a_client_that_must_prove_itself_is_told_what_is_missing(play: Play) -> None:
    told = brought(await play.ask(play.public, code_challenge=None, code_challenge_method=None))
    assert told["error"] == "invalid_request"
    assert "code_challenge" in told["error_description"]
    told = brought(await play.ask(play.public, code_challenge_method="S512"))
    assert told["error"] == "invalid_request"


async def test_4_6_a_verifier_that_does_not_fit_is_an_invalid_grant(play: Play) -> None:
    for verifier in ("a" * 43, None):
        code = await play.code(**PROVEN)
        assert refused(await play.exchange(code, code_verifier=verifier)) == (400, "invalid_grant")
