"""The certificate authorities that a verifier trusts: those of the machine."""

import ssl
from collections.abc import Iterable
from functools import cache
from urllib.parse import urlsplit

import httpx2


def trust_for(urls: Iterable[str]) -> ssl.SSLContext:
    """Return the trusted authorities; none are loaded if no node uses TLS, because that takes a while."""
    if any(urlsplit(url).scheme == "https" for url in urls):
        return _public()
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@cache
def _public() -> ssl.SSLContext:
    trusted = httpx2.create_ssl_context()
    trusted.set_alpn_protocols(["http/1.1"])
    return trusted
