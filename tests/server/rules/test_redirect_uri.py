"""Which redirect URIs may be registered, which are fit for production, and which presented ones match."""

import pytest

from keybearer.server.rules import redirect_uri

HTTPS = "https://a.ex/cb"


@pytest.mark.parametrize(
    ("uri", "kind", "environment"),
    [
        pytest.param(HTTPS, "confidential", "live", id="https"),
        pytest.param("https://a.ex", "confidential", "live", id="no path"),
        pytest.param("https://a.ex:8443/cb?x=1&y=%C3%A9", "confidential", "live", id="port and query"),
        pytest.param("https://xn--bcher-kva.example/cb", "confidential", "live", id="IDNA"),
        pytest.param("https://[2001:db8::1]/cb", "confidential", "live", id="IPv6"),
        pytest.param("http://127.0.0.1:9000/cb", "confidential", "live", id="loopback in production"),
        pytest.param("http://127.8.9.10/cb", "public", "live", id="all of 127.0.0.0/8"),
        pytest.param("http://[::1]:9000/cb", "public", "live", id="IPv6 loopback"),
        pytest.param("http://localhost:9000/cb", "confidential", "sandbox", id="localhost in the sandbox"),
        pytest.param("com.example.app:/cb", "public", "live", id="private-use scheme"),
        pytest.param("com.example.app://callback", "public", "live", id="private-use scheme, two slashes"),
        pytest.param("https://a.ex/" + "x" * 1987, "confidential", "live", id="2000 characters"),
        pytest.param("https://a.ex/a..b/.well-known", "confidential", "live", id="dots inside a segment"),
    ],
)
def test_a_fit_uri_may_be_registered(uri: str, kind: str, environment: str) -> None:
    assert redirect_uri.problems((uri,), kind, environment) == []


@pytest.mark.parametrize(
    ("uri", "because"),
    [
        pytest.param(uri, because, id=repr(uri)[:60])
        for uri, because in [
            ("javascript:alert(1)", "start with https://"),
            ("JaVaScRiPt:alert(1)", "start with https://"),
            ("javascript:%0aalert(1)", "control character"),
            ("data:text/html,x", "start with https://"),
            ("vbscript:x", "start with https://"),
            ("file:///etc/passwd", "start with https://"),
            ("blob:https://a.ex/1", "start with https://"),
            ("//evil", "start with https://"),
            ("\\\\evil", "characters"),
            ("/\\evil", "characters"),
            ("http:evil", "start with https://"),
            ("https:evil", "start with https://"),
            ("https:///cb", "start with https://"),
            ("ftp://a.ex/cb", "start with https://"),
            ("cb", "start with https://"),
            ("HTTPS://a.ex/cb", "start with https://"),
            ("https://A.EX/cb", "no valid host"),
            ("https://a.ex/cb#f", "fragment"),
            ("https://a.ex/cb#", "fragment"),
            ("https://evil.com#@a.ex/cb", "fragment"),
            ("https://user@a.ex/cb", "user name"),
            ("https://a@b@evil.com/", "user name"),
            ("https://a.ex:443@evil/", "user name"),
            ("https://a.ex:0/cb", "no valid host"),
            ("https://a.ex:65536/cb", "no valid host"),
            ("https://a.ex:/cb", "no valid host"),
            ("https://-a.ex/cb", "no valid host"),
            ("https://a..ex/cb", "no valid host"),
            ("https://a_b.ex/cb", "no valid host"),
            ("https://127.1/cb", "no valid host"),
            ("https://2130706433/cb", "no valid host"),
            ("https://0x7f000001/cb", "no valid host"),
            ("https://[::1/cb", "no valid host"),
            ("https://[fe80::1%25eth0]/cb", "no valid host"),
            ("https://*.a.ex/cb", "wildcard"),
            ("https://a.ex/*", "wildcard"),
            ("https://a.ex/cb/../x", "between its slashes"),
            ("https://a.ex/cb/..;/x", "between its slashes"),
            ("https://a.ex/cb%2f..%2fx", "between its slashes"),
            ("https://a.ex/cb%252f..", "between its slashes"),
            ("https://a.ex/cb%5C..%5Cx", "between its slashes"),
            ("https://a.ex/./x", "between its slashes"),
            ("https://a.ex/cb x", "characters"),
            ("https://a.ex/cb\t", "characters"),
            ("https://a.ex/cb\0", "characters"),
            ("https://a.ex/bücher", "characters"),
            ("https://bücher.ex/", "characters"),
            ("https://a.ex/\u202ecb", "characters"),
            ("https://a.ex/%zz", "characters"),
            ("https://a.ex/%00", "control character"),
            ("https://a.ex/%0d%0aSet-Cookie:x", "control character"),
            ("https://a.ex/a%20b", "encoded space"),
            ("https://a.ex/" + "x" * 1988, "too long"),
            ("http://a.ex/cb", "not encrypted"),
            ("http://localhost/cb", "not encrypted"),
            ("http://127.0.0.1.evil.com/cb", "not encrypted"),
            ("http://[::ffff:127.0.0.1]/cb", "not encrypted"),
            ("http://10.0.0.1/cb", "not encrypted"),
            ("com.example.app:/cb", "only a public app"),
        ]
    ],
)
def test_an_unfit_uri_is_refused_and_the_sentence_says_why(uri: str, because: str) -> None:
    said = redirect_uri.problems((uri,), "confidential", "live")
    assert len(said) == 1
    assert because in said[0]


@pytest.mark.parametrize("uri", ["myapp:/cb", "com.example.app:cb", "com.example.app:/../cb", "com.example.app://u@h/"])
def test_a_public_app_needs_a_reversed_domain_name_and_a_plain_path(uri: str) -> None:
    assert len(redirect_uri.problems((uri,), "public", "live")) == 1


def test_localhost_over_plain_http_is_for_the_sandbox() -> None:
    assert redirect_uri.problems(("http://localhost/cb",), "public", "sandbox") == []
    assert "not encrypted" in redirect_uri.problems(("http://localhost/cb",), "public", "live")[0]


def test_at_least_one_and_at_most_twenty_are_accepted_each_once() -> None:
    twenty = tuple(f"{HTTPS}/{number}" for number in range(20))
    assert redirect_uri.problems(twenty, "confidential", "live") == []
    assert redirect_uri.problems((*twenty, HTTPS), "confidential", "live") == ["Enter at most 20 redirect URLs."]
    assert redirect_uri.problems((), "confidential", "live") == ["Enter at least one redirect URL."]
    assert "there twice" in redirect_uri.problems((HTTPS, HTTPS), "confidential", "live")[0]


def test_commas_and_line_ends_part_what_was_typed() -> None:
    assert redirect_uri.split(" https://a.ex/1 , https://a.ex/2\r\n\nhttps://a.ex/3,, ") == (
        "https://a.ex/1",
        "https://a.ex/2",
        "https://a.ex/3",
    )
    assert redirect_uri.split(" \n , ") == ()


@pytest.mark.parametrize(
    ("uri", "kind", "because"),
    [
        pytest.param("http://127.0.0.1/cb", "confidential", "not encrypted", id="a server behind plain http"),
        pytest.param("http://localhost/cb", "public", "not encrypted", id="localhost"),
        pytest.param("https://localhost:8443/cb", "confidential", "own machine", id="localhost over https"),
    ],
)
def test_what_is_unfit_for_production_is_told(uri: str, kind: str, because: str) -> None:
    (said,) = redirect_uri.unfit_for_production((HTTPS, uri), kind)
    assert said.startswith(uri)
    assert because in said


def test_https_and_for_public_apps_loopback_and_their_own_scheme_are_fit_for_production() -> None:
    assert redirect_uri.unfit_for_production((HTTPS,), "confidential") == []
    assert redirect_uri.unfit_for_production(("http://127.0.0.1/cb", "com.example.app:/cb"), "public") == []


@pytest.mark.parametrize(
    "presented",
    [
        "https://a.ex.evil.com/cb",
        "https://a.ex@evil.com/cb",
        "https://evil.com#@a.ex/cb",
        "https://a.ex:443/cb",
        "https://a.ex/cb/",
        "https://a.ex/cb/../cb",
        "https://a.ex/cb?x=1",
        "https://a.ex/cb#f",
        "https://a.ex/CB",
        "HTTPS://A.EX/cb",
        "https://a.ex/cb ",
        "https://a.ex/cb\t",
        "https://a.ex/cb%00",
        "",
    ],
)
@pytest.mark.parametrize("kind", ["confidential", "public"])
def test_only_the_very_same_bytes_match(presented: str, kind: str) -> None:
    assert redirect_uri.matches(HTTPS, HTTPS, kind)
    assert not redirect_uri.matches(HTTPS, presented, kind)


@pytest.mark.parametrize(
    ("registered", "presented", "does"),
    [
        pytest.param("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", True, id="a port where none was"),
        pytest.param("http://127.0.0.1:1/cb", "http://127.0.0.1:51004/cb", True, id="another port"),
        pytest.param("http://127.0.0.1:1/cb", "http://127.0.0.1/cb", True, id="no port"),
        pytest.param("http://[::1]/cb", "http://[::1]:51004/cb", True, id="IPv6"),
        pytest.param("http://127.0.0.1/cb", "http://localhost:1/cb", False, id="localhost"),
        pytest.param("http://127.0.0.1/cb", "http://127.0.0.1.evil.com/cb", False, id="a longer name"),
        pytest.param("http://127.0.0.1/cb", "http://127.0.0.1:1@evil.com/cb", False, id="a user name"),
        pytest.param("http://127.0.0.1/cb", "http://[::1]/cb", False, id="another family"),
        pytest.param("http://127.0.0.1/cb", "http://127.1/cb", False, id="a shorter spelling"),
        pytest.param("http://127.0.0.1/cb", "http://127.0.0.1:1/cb?bar=1", False, id="a query"),
        pytest.param("http://127.0.0.1/cb", "http://127.0.0.1:99999/cb", False, id="no such port"),
        pytest.param("http://127.0.0.1/cb", "http://127.0.0.1:051/cb", False, id="a leading zero"),
        pytest.param("http://127.0.0.1/cb", "http://127.0.0.1:1/cb\n", False, id="a line end"),
        pytest.param("https://127.0.0.1/cb", "https://127.0.0.1:1/cb", False, id="https"),
        pytest.param("http://localhost/cb", "http://localhost:1/cb", False, id="a name is no address"),
    ],
)
def test_the_port_of_a_loopback_address_may_vary_and_with_a_secret_only_where_none_was_registered(
    registered: str, presented: str, does: bool
) -> None:
    assert redirect_uri.matches(registered, presented, "public") is does
    is_free = not registered.startswith("http://127.0.0.1:")
    assert redirect_uri.matches(registered, presented, "confidential") is (does and is_free)
