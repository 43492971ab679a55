"""What cannot work is said when a verifier is made, not at the first token."""

import ssl
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from flask import Flask
from starlette.applications import Starlette

from keybearer import Verifier
from keybearer.asgi import KeybearerMiddleware
from keybearer.flask import protect
from keybearer.sdk.trust import trust_for
from keybearer.testing import FakeSyncVerifier, FakeVerifier
from keybearer.wire.token_text import compose
from tests.sdk.fake_node import KEY, FakeNode

GOOD = compose("kb", "pat", "live", "g" * 32)


@pytest.mark.parametrize(
    ("url", "key", "about"),
    [
        pytest.param("https://auth.example.com", GOOD, "no such key|not a resource server's key", id="a token as key"),
        pytest.param("https://auth.example.com", "", "key is not set", id="no key"),
        pytest.param("https://auth.example.com", None, "key is not set", id="a variable that is not there"),
        pytest.param("https://auth.example.com", f"{KEY}\n", "not even a line break", id="a file's last line"),
        pytest.param("auth.example.com", KEY, "is not the address", id="no scheme"),
        pytest.param("https://a.example:443,https://b.example", KEY, "is not the address", id="two in one text"),
        pytest.param("http://auth.example.com", KEY, "plain HTTP", id="plain HTTP to elsewhere"),
        pytest.param([], KEY, "at least one", id="no address"),
        pytest.param(None, KEY, "at least one", id="an address out of a variable that is not there"),
    ],
)
def test_what_cannot_work_is_said_at_once(url: Any, key: Any, about: str) -> None:
    with pytest.raises(ValueError, match=about):
        Verifier(url, key=key)


PUBLIC: dict[str, Callable[[Any], Any]] = {
    "ASGI": lambda public: KeybearerMiddleware(Starlette(), FakeVerifier(), public=public),
    "Flask": lambda public: protect(Flask(__name__), FakeSyncVerifier(), public=public),
}


@pytest.mark.parametrize("layer", PUBLIC.values(), ids=PUBLIC)
def test_a_text_is_no_list_of_public_paths(layer: Callable[[Any], Any]) -> None:
    """Each of its letters would be one, and the slash is where most APIs begin."""
    layer(["/healthz"])
    with pytest.raises(TypeError, match=r'\["/healthz"\]'):
        layer("/healthz")


async def test_certificates_are_read_only_where_a_node_shows_one(node: FakeNode) -> None:
    with mock.patch.multiple(
        ssl.SSLContext, load_verify_locations=mock.DEFAULT, load_default_certs=mock.DEFAULT
    ) as read:
        async with Verifier(node.url, key=KEY) as verifier:
            await verifier.verify(node.issue())
        assert not any(each.called for each in read.values())
    nobody, everybody = trust_for([node.url]), trust_for([node.url, "HTTPS://auth.example.com"])
    assert not nobody.get_ca_certs()
    assert nobody.verify_mode is everybody.verify_mode is ssl.CERT_REQUIRED
    assert everybody is trust_for(["https://auth.example.com"])
