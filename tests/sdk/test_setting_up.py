"""What cannot work is said when a verifier is made, not at the first token."""

import pytest

from keybearer import Verifier
from keybearer.wire.token_text import compose
from tests.sdk.fake_node import KEY

GOOD = compose("kb", "pat", "live", "g" * 32)


@pytest.mark.parametrize(
    ("url", "key", "about"),
    [
        pytest.param("https://auth.example.com", GOOD, "no such key|not a resource server's key", id="a token as key"),
        pytest.param("https://auth.example.com", "", "not a resource server's key", id="no key"),
        pytest.param("auth.example.com", KEY, "is not the address", id="no scheme"),
        pytest.param("http://auth.example.com", KEY, "plain HTTP", id="plain HTTP to elsewhere"),
        pytest.param([], KEY, "at least one", id="no address"),
    ],
)
def test_what_cannot_work_is_said_at_once(url: str | list[str], key: str, about: str) -> None:
    with pytest.raises(ValueError, match=about):
        Verifier(url, key=key)
