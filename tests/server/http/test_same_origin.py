"""Whose page made a POST, and where browsers can be relied on to say so."""

import pytest
from starlette.applications import Starlette

from keybearer.server.http.edge import Edge, Terms
from keybearer.server.http.same_origin import is_same_origin, is_trustworthy, origin_of
from keybearer.server.metrics.requests import Requests

ISSUER = "https://auth.example.com"


@pytest.mark.parametrize(
    ("fetch_site", "origin", "is_ours"),
    [
        pytest.param("same-origin", None, True, id="our page"),
        pytest.param("same-origin", "null", True, id="our page, under no-referrer"),
        pytest.param("none", None, True, id="the person's own doing"),
        pytest.param("same-site", "https://auth.example.com", False, id="a neighbour who claims to be us"),
        pytest.param("cross-site", "https://evil.example", False, id="a stranger's page"),
        pytest.param("cross-site", None, False, id="a stranger's page without an origin"),
        pytest.param("", "https://auth.example.com", False, id="an empty word"),
        pytest.param(None, "https://auth.example.com", True, id="our page in an old browser"),
        pytest.param(None, "null", False, id="a sandboxed frame in an old browser"),
        pytest.param(None, "http://auth.example.com", False, id="our host without TLS"),
        pytest.param(None, "https://auth.example.com.evil.example", False, id="a longer host"),
        pytest.param(None, "https://auth.example.com:8443", False, id="another port"),
        pytest.param(None, None, True, id="a program"),
    ],
)
def test_a_post_is_ours_only_if_a_browser_says_so_or_none_sent_it(
    fetch_site: str | None, origin: str | None, is_ours: bool
) -> None:
    assert is_same_origin(fetch_site, origin, ISSUER) is is_ours


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://auth.example.com/keys", "https://auth.example.com"),
        ("https://auth.example.com:443", "https://auth.example.com"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000/x", "http://[::1]:8000"),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    ("issuer", "policy"),
    [
        ("https://auth.example.com", "no-referrer"),
        ("http://127.0.0.1:8000", "no-referrer"),
        ("http://[::1]:8000", "no-referrer"),
        ("http://localhost:8000", "no-referrer"),
        ("http://keys.localhost:8000", "no-referrer"),
        ("http://auth.example.com", "same-origin"),
        ("http://192.168.1.5:8000", "same-origin"),
        ("http://localhost.example.com", "same-origin"),
    ],
)
def test_no_address_is_told_wherever_our_own_forms_are_known_without(issuer: str, policy: str) -> None:
    edge = Edge(Starlette(), Terms(issuer), lambda: 0, Requests())
    assert dict(edge._headers)[b"referrer-policy"] == policy.encode()
    assert is_trustworthy(issuer) is (policy == "no-referrer")
