"""The snippets of a client's page do, in a real shell, what they say, whatever a redirect URI is made of."""

import base64
import hashlib
import subprocess
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from keybearer.server.pages.quick_start import quick_start
from keybearer.server.records import Client

ISSUER = "https://auth.example"
# Every character that a redirect URI may have and a shell would act on.
NASTY = "https://a.example/cb?x='$(id)';id&y=!~(z)&&q=%22"
CURL = 'curl() { printf "%s\\n" "$@"; }\n'


def an_app(kind: str, pkce: str) -> Client:
    return Client("app0abc", 1, "sandbox", "Ledger Sync", kind, pkce, 1, None, 0, 0, None)


def shell(script: str) -> list[str]:
    done = subprocess.run(["sh", "-euc", script], capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.splitlines()


def posted(arguments: list[str]) -> dict[str, str]:
    """Read curl's arguments as the form that it would send."""
    address, *rest = arguments
    assert address == f"{ISSUER}/oauth/token"
    options, values = rest[::2], rest[1::2]
    assert set(options) <= {"-d", "--data-urlencode"}
    return dict(value.split("=", 1) for value in values)


@pytest.mark.parametrize("redirect_uri", ["https://a.example/cb", NASTY])
def test_an_app_with_a_secret_gets_an_address_and_a_call(redirect_uri: str) -> None:
    start = quick_start(ISSUER, an_app("confidential", "optional"), redirect_uri)
    assert start.authorize.startswith(f"{ISSUER}/oauth/authorize?")
    asked = parse_qs(urlsplit(start.authorize).query)
    assert (asked["client_id"], asked["redirect_uri"], asked["response_type"]) == (
        ["app0abc"],
        [redirect_uri],
        ["code"],
    )
    assert posted(shell(f"CODE=c CLIENT_SECRET=s\n{CURL}{start.exchange}")) == {
        "grant_type": "authorization_code",
        "client_id": "app0abc",
        "client_secret": "s",
        "code": "c",
        "redirect_uri": redirect_uri,
    }


@pytest.mark.parametrize(("kind", "secret"), [("confidential", {"client_secret": "s"}), ("public", {})])
def test_where_pkce_is_required_the_challenge_belongs_to_the_verifier(kind: str, secret: dict[str, str]) -> None:
    start = quick_start(ISSUER, an_app(kind, "required"), NASTY)
    address, *arguments = shell(f"CODE=c CLIENT_SECRET=s\n{CURL}{start.authorize}\n{start.exchange}")
    asked = dict(parse_qsl(urlsplit(address).query))
    form = posted(arguments)
    verifier = form.pop("code_verifier")
    assert len(verifier) == 64
    digest = hashlib.sha256(verifier.encode()).digest()
    assert asked["code_challenge"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert (asked["code_challenge_method"], asked["redirect_uri"]) == ("S256", NASTY)
    rest = {"grant_type": "authorization_code", "client_id": "app0abc", "code": "c", "redirect_uri": NASTY}
    assert form == rest | secret
