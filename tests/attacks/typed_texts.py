"""What an attacker types into sign-in and account forms (attacks.md G5, G10, G15, the inputs of each as data)."""

from typing import Final

# G10: none of these leads anywhere but to the home page.
AWAY: Final = [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "https://evil.example/",
    "https:/evil.example",
    "javascript:alert(1)",
    "\t//evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    " //evil.example",
    "/ /evil.example",
    "/\x00/evil.example",
    "evil.example",
    "?//evil.example",
    "/\u2028/evil.example",
    "\uff0f\uff0fevil.example",
    "/" + "a" * 12_000,
    "",
]

# G15: no address, or one that could be taken for another's.
UNFIT_ADDRESSES: Final = [
    "victim\uff20example.com",
    "victim@example.com\uff20evil.example",
    "\u212aate@example.com",
    "ada\u017f@example.com",
    "\u0131da@example.com",
    "\uff41da@example.com",
    '"ada@evil.example"@example.com',
    '"ada"@example.com',
    "ada@evil.example@example.com",
    "ada@example.com\r\nBcc: eve@evil.example",
    "ada@example.com%0d%0aBcc:eve@evil.example",
    "ada@example.com,eve@evil.example",
    "ada@example.com;eve@evil.example",
    "ada@example.com <eve@evil.example>",
    "<ada@example.com>",
    "ada@example.com\x00",
    "ada\x00@example.com",
    "ada@[127.0.0.1]",
    "ada@127.0.0.1",
    "ada(comment)@example.com",
    "ada@exa\u00admple..com",
    "a" * 65 + "@example.com",
    "ada@" + "e" * 5_000,
    "@",
]

# G15: spellings of one address; two accounts can never have two of them.
SPELLINGS: Final = [
    "Twin@Bücher.Example",
    "twin@bücher.example",
    "TWIN@BÜCHER.EXAMPLE",
    "twin@bu\u0308cher.example",
    "twin@xn--bcher-kva.example",
    "twin@XN--BCHER-KVA.example.",
    "twin@\uff42\u00fccher.example",
    "  twin@bücher。example ",
]

# G5: names that are shown as the text they are …
SHOWN_NAMES: Final = [
    "<img src=x onerror=alert(1)>",
    "</title><script>alert(1)</script>",
    "{{7*7}}",
    "${7*7}",
    '" autofocus onfocus=alert(1) x="',
    "&lt;b&gt;",
    "Keybearer Security",
    "عائشة",
]
# … and names that are refused.
REFUSED_NAMES: Final = [
    "Ada\u202egnp.exe",
    "Ada\u2066x\u2069",
    "Ada\x00",
    "Ada\r\nBcc: eve@evil.example",
    "\u200d\u200c",
    "\u200b",
    "x" * 10_000,
    "\ud7ff\ue000",
]
