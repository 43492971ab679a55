"""Email addresses: what is one, how it is kept, and when two are the same."""

import pytest

from keybearer.server.refusals import Refusal
from keybearer.server.rules.addresses import Address, clean_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param(" Ann@Example.COM ", Address("Ann@example.com", "ann@example.com"), id="case and blanks"),
        pytest.param("ann+tag@example.com", Address("ann+tag@example.com", "ann+tag@example.com"), id="a tag stays"),
        pytest.param("ann@münchen.de", Address("ann@xn--mnchen-3ya.de", "ann@xn--mnchen-3ya.de"), id="IDNA"),
        pytest.param("ann@xn--mnchen-3ya.de", Address("ann@xn--mnchen-3ya.de", "ann@xn--mnchen-3ya.de"), id="A-label"),
        pytest.param("ann@example.com.", Address("ann@example.com", "ann@example.com"), id="root dot"),
        pytest.param("ann@intranet", Address("ann@intranet", "ann@intranet"), id="one label"),
    ],
)
def test_an_address_is_kept_in_one_form(text: str, address: Address) -> None:
    assert clean_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("ann", id="no at"),
        pytest.param("@example.com", id="no local part"),
        pytest.param("ann@", id="no domain"),
        pytest.param("ann@b@example.com", id="two ats"),
        pytest.param("ann\uff20example.com", id="full-width at"),
        pytest.param("ann@evil.com\uff20example.com", id="a second at by compatibility"),
        pytest.param("ann@example.com\r\nBcc: eve@evil.com", id="line end"),
        pytest.param("\u212aate@example.com", id="the Kelvin sign is no k"),
        pytest.param("änn@example.com", id="local part beyond ASCII"),
        pytest.param('"ann b"@example.com', id="quoted local part"),
        pytest.param("ann..b@example.com", id="two dots"),
        pytest.param("=?utf-8?q?ann?=@example.com", id="an encoded word: mail programs read it as ann"),
        pytest.param("=?utf-8?q?a=0D=0ABcc=3Ab?=@example.com", id="an encoded word with a line end in it"),
        pytest.param("x=?us-ascii?b?YW5u?=@example.com", id="an encoded word behind a letter"),
        pytest.param("ann@example..com", id="empty label"),
        pytest.param("ann@-example.com", id="hyphen first"),
        pytest.param("ann@exa_mple.com", id="underscore"),
        pytest.param("ann@127.0.0.1", id="IP address"),
        pytest.param("ann@[127.0.0.1]", id="address literal"),
        pytest.param("a" * 65 + "@example.com", id="65 characters before the at"),
        pytest.param("a" * 64 + "@" + ".".join(["b" * 62] * 3) + ".com", id="over 254 characters"),
    ],
)
def test_what_is_no_address_is_refused_and_the_field_is_named(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        clean_address(text, "contact")
    assert (refused.value.code, refused.value.field) == ("invalid", "contact")


def test_254_characters_are_accepted_and_255_are_not() -> None:
    local = "a" * 62
    domain = ".".join(["b" * 63, "c" * 63, "d" * 63])
    assert len(clean_address(f"{local}@{domain}").shown) == 254
    with pytest.raises(Refusal, match="too long"):
        clean_address(f"{local}a@{domain}")
