"""Which redirect URIs may be registered, and which presented one is a registered one."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address
from typing import Final
from urllib.parse import unquote

from keybearer.server.rules.hosts import host_address, is_host, is_local_name

MAX_LENGTH: Final = 2_000
MAX_COUNT: Final = 20

_SEPARATORS: Final = re.compile(r"[,\r\n]+")
# RFC 3986's characters without the wildcard; a backslash, which browsers read as a slash, is not among them.
_CHARACTERS: Final = re.compile(r"(?:[A-Za-z0-9\-._~:/?\[\]@!$&'()+,;=]|%[0-9A-Fa-f]{2})+")
_WEB: Final = re.compile(r"(https?)://([^/?]+)(/[^?]*)?(\?.*)?")
_AUTHORITY: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::([1-9][0-9]{0,4}))?")
# RFC 8252 §7.1: a domain name that the app's maker holds, reversed; the dot keeps javascript:, data: and file: out.
_PRIVATE_USE: Final = re.compile(r"[a-z][a-z0-9+-]*(?:\.[a-z0-9][a-z0-9+-]*)+:/{1,2}([A-Za-z0-9][^?@]*)?(\?.*)?")
_LOOPBACK: Final = re.compile(r"(http://(?:127(?:\.[0-9]{1,3}){3}|\[::1\]))(?::([1-9][0-9]{0,4}))?([/?].*)?", re.DOTALL)


def split(text: str) -> tuple[str, ...]:
    """Take what a person typed apart, at commas and line ends, and drop the blanks around each part."""
    return tuple(part for piece in _SEPARATORS.split(text) if (part := piece.strip(" \t")))


def problems(uris: tuple[str, ...], kind: str, environment: str) -> list[str]:
    """
    Return what keeps these redirect URIs from being registered, one sentence each; empty if nothing does.

    Args:
        kind: the client's, ``confidential`` or ``public``.
        environment: ``live`` or ``sandbox``.

    Source: RFC 6749 §3.1.2 (absolute, no fragment), RFC 9700 §2.1 and §4.1.3, RFC 8252 §7.
    """
    if not uris:
        return ["Enter at least one redirect URL."]
    if len(uris) > MAX_COUNT:
        return [f"Enter at most {MAX_COUNT} redirect URLs."]
    repeated = {uri for uri in uris if uris.count(uri) > 1}
    said = [f"{_shown(uri)} is there twice. Enter each redirect URL once." for uri in sorted(repeated)]
    judged = [(uri, _problem(uri, kind, environment)) for uri in dict.fromkeys(uris)]
    return said + [f"{_shown(uri)} {wrong}" for uri, wrong in judged if wrong]


def unfit_for_production(uris: tuple[str, ...], kind: str) -> list[str]:
    """
    Return what a live client of this *kind* should not have, one sentence each; empty if all are fit.

    An app with a secret runs on a server, so it has no use for an address of the user's own machine.
    """
    said = [(uri, _problem(uri, kind, "live") or _unfit(uri, kind)) for uri in uris]
    return [f"{_shown(uri)} {wrong}" for uri, wrong in said if wrong]


def is_registered(presented: str, registered: Iterable[str], client_kind: str) -> bool:
    """Tell whether the URI that an app presents is one of those registered for it, as `matches` compares them."""
    return any(matches(uri, presented, client_kind) for uri in registered)


def matches(registered: str, presented: str, client_kind: str) -> bool:
    """
    Tell whether the *presented* redirect URI is the *registered* one.

    Equal byte for byte; an app on the user's machine, which takes whatever port is free, may name another port of the
    same loopback address. If it has a secret, it may where it registered none: a port that it registered is meant.

    Args:
        client_kind: ``confidential`` or ``public``.

    Source: RFC 9700 §2.1 (exact comparison), RFC 8252 §7.3 (the port of a loopback address).
    """
    if registered == presented:
        return True
    ours, theirs = _LOOPBACK.fullmatch(registered), _LOOPBACK.fullmatch(presented)
    if ours is None or theirs is None or int(theirs[2] or 1) > 65_535:
        return False
    is_free = client_kind == "public" or ours[2] is None
    return is_free and (ours[1], ours[3]) == (theirs[1], theirs[3])


def _shown(uri: str) -> str:
    """Return the URI for a sentence: printable, and not longer than a line."""
    printable = "".join(character if character.isprintable() else "?" for character in uri)
    return printable if len(printable) <= 100 else f"{printable[:99]}…"


def _problem(uri: str, kind: str, environment: str) -> str | None:
    """Return how the sentence about a URI that may not be registered goes on after the URI; None if it may."""
    if len(uri) > MAX_LENGTH:
        return f"is too long. At most {MAX_LENGTH} characters are accepted."
    if "#" in uri:
        return "has a fragment. Leave out # and what follows."
    if "*" in uri:
        return "has a wildcard. Redirect URLs are compared exactly: enter each in full."
    if not _CHARACTERS.fullmatch(uri):
        return "has characters that a URL cannot have. Percent-encode spaces and everything that is not ASCII."
    if any(ord(character) < 0x21 or character == "\x7f" for character in unquote(uri)):
        return "has an encoded space or control character. Leave it out."
    web = _WEB.fullmatch(uri)
    if web is None:
        return _private_use_problem(uri, kind)
    if _has_dot_segment(web[3] or ""):
        return "has . or .. between its slashes. Write the path out."
    return _authority_problem(web[1], web[2], environment)


def _private_use_problem(uri: str, kind: str) -> str | None:
    private_use = _PRIVATE_USE.fullmatch(uri)
    if private_use is None:
        return "must start with https:// and be complete, in lower case up to the path."
    if kind != "public":
        return "has a scheme of its own, which only a public app may use. Use an https:// address."
    return "has . or .. between its slashes. Write the path out." if _has_dot_segment(private_use[1] or "") else None


def _authority_problem(scheme: str, authority: str, environment: str) -> str | None:
    """Judge what stands between ``//`` and the path."""
    if "@" in authority:
        return "has a user name before its host. Leave it and the @ out."
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None or int(parts[2] or 1) > 65_535 or not is_host(parts[1]):
        return "has no valid host. Write it as example.com, in lower case, with a port only if it needs one."
    if scheme == "https" or _is_loopback(parts[1]) or (parts[1] == "localhost" and environment == "sandbox"):
        return None
    others = (
        "http://127.0.0.1 and http://localhost" if environment == "sandbox" else "addresses such as http://127.0.0.1"
    )
    return f"is not encrypted. Use https://; plain http is for {others} only."


def _unfit(uri: str, kind: str) -> str | None:
    """Return what a URI that may be registered in a live team still lacks for production."""
    web = _WEB.fullmatch(uri)
    if web is None:
        return None
    host = re.sub(r":[0-9]+$", "", web[2])
    if is_local_name(host):
        return "leads to the user's own machine. Replace it by the app's public address."
    if web[1] == "http" and kind == "confidential":
        return "is not encrypted. Replace it by the app's public address, which starts with https://."
    return None


def _has_dot_segment(path: str) -> bool:
    """Tell whether a server that decodes the path, perhaps more than once, could walk up in it."""
    for _ in range(3):
        path = unquote(path)
    segments = path.replace("\\", "/").split("/")
    return any(segment.split(";")[0] in {".", ".."} for segment in segments)


def _is_loopback(host: str) -> bool:
    address = host_address(host)
    return host == "[::1]" or (isinstance(address, IPv4Address) and address.is_loopback)
