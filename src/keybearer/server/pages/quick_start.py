"""The two lines that take an app from nothing to its first token, filled with its own values."""

import shlex
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from keybearer.server.records import Client

# RFC 7636 §4.1 and §4.2 with what every system has: 64 random letters and digits, and their SHA-256 in base64url.
_VERIFIER: Final = """CODE_VERIFIER=$(openssl rand -base64 96 | tr -dc 'A-Za-z0-9' | cut -c 1-64)"""
_CHALLENGE: Final = (
    """$(printf %s "$CODE_VERIFIER" | openssl dgst -sha256 -binary | openssl base64 | tr '+/' '-_' | tr -d '=')"""
)


@dataclass(frozen=True, slots=True)
class QuickStart:
    """
    What to paste.

    Args:
        authorize: the address for the browser; where the app must use PKCE, the shell lines that print it.
        exchange: a ``curl`` call that trades the code in ``$CODE`` for tokens.
    """

    authorize: str
    exchange: str


def quick_start(issuer: str, client: Client, redirect_uri: str) -> QuickStart:
    """
    Return the snippets for one client.

    Args:
        issuer: the server's public address.
        redirect_uri: one that is registered.

    Source: RFC 6749 §4.1.1, §4.1.3; RFC 7636 §4.3, §4.5.
    """
    asked = {
        "client_id": client.client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "state": "a-random-value",
    }
    address = f"{issuer}/oauth/authorize?{urlencode(asked)}"
    if client.pkce == "required":
        challenged = f'echo "{address}&code_challenge_method=S256&code_challenge={_CHALLENGE}"'
        return QuickStart(f"{_VERIFIER}\n{challenged}", _exchange(issuer, client, redirect_uri))
    return QuickStart(address, _exchange(issuer, client, redirect_uri))


def _exchange(issuer: str, client: Client, redirect_uri: str) -> str:
    """Write the call; a redirect URI may hold characters that a shell would take for its own."""
    fields = ["-d grant_type=authorization_code", f"-d client_id={client.client_id}"]
    if client.kind == "confidential":
        fields.append('-d client_secret="$CLIENT_SECRET"')
    fields += ['-d code="$CODE"', f"--data-urlencode {shlex.quote(f'redirect_uri={redirect_uri}')}"]
    if client.pkce == "required":
        fields.append('-d code_verifier="$CODE_VERIFIER"')
    return " \\\n  ".join([f"curl {issuer}/oauth/token", *fields])
