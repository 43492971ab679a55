"""The pages of the guides: who may read them, where their links lead, and whether they say what holds here."""

import re
from collections import Counter
from pathlib import Path
from typing import Final
from urllib.parse import urljoin, urlsplit

import pytest
from pydantic import SecretStr

from keybearer.server.http.description import description
from keybearer.server.http.errors import STATUS
from keybearer.server.pages.handbook import API_REFERENCE, GUIDES, text_of
from keybearer.server.settings import Settings
from keybearer.wire.token_text import KINDS, SECRET_LENGTH, compose
from tests.support.browser import Browser
from tests.support.elements import Element, read_html
from tests.support.house import House
from tests.support.page import Page
from tests.support.people import PASSWORD
from tests.support.scenes import Scene

ADDRESSES: Final = ("/docs", *(guide.address for guide in GUIDES))
# Codes that OAuth's endpoints answer, beside those of http/errors.STATUS.
OAUTH_WORDS: Final = ("slow_down", "temporarily_unavailable")


async def signed_in(house: House, environment: str = "sandbox") -> Browser:
    scene = Scene(house.node)
    ada = await scene.person("Ada")
    await scene.team("Engines", environment, owner=ada)
    browser = house.browser()
    await browser.get("/login?next=/docs")
    page = await browser.fill_and_submit("Sign in", email=ada.email, password=PASSWORD)
    assert page.status == 200, page.text
    return browser


async def test_whoever_is_not_signed_in_reads_every_guide(house: House) -> None:
    for address in ADDRESSES:
        page = await house.browser().get(address)
        assert page.status == 200
        assert page.link("Sign in") == f"/login?next={address}"
        assert {guide.address for guide in GUIDES} <= {link for _, link in page.links}


@pytest.mark.parametrize("environment", ["sandbox", "live"])
async def test_whoever_is_signed_in_still_sees_their_team_and_environment(house: House, environment: str) -> None:
    browser = await signed_in(house, environment)
    for address in ADDRESSES:
        page = await browser.get(address)
        assert page.status == 200
        assert f"Active team: Engines {environment.title()}" in page.text
        assert ("Sandbox: nothing here touches live data" in page.text) is (environment == "sandbox")


async def test_every_link_leads_somewhere(house: House) -> None:
    browser = await signed_in(house)
    pages = {address: await browser.get(address) for address in ADDRESSES}
    seen = dict(pages)
    for address, page in pages.items():
        for _, link in page.links:
            target = urlsplit(urljoin(address, link))
            if target.netloc:
                continue
            if target.path not in seen:
                seen[target.path] = await browser.get(target.path)
            assert seen[target.path].status == 200, (address, link)
            if target.fragment:
                assert target.fragment in anchors(seen[target.path]), (address, link)


async def test_a_page_names_each_anchor_once(house: House) -> None:
    for address in ADDRESSES:
        page = await house.browser().get(address)
        assert max(Counter(anchors(page)).values()) == 1, address


async def test_pages_bring_no_styles_or_scripts_of_their_own(house: House) -> None:
    for address in ADDRESSES:
        top = read_html((await house.browser().get(address)).html)
        assert not list(top.every("style"))
        assert not [element for element in _all(top) if element.has("style")], address
        assert not [script for script in top.every("script") if not script.get("src").startswith("/static/")], address


async def test_every_code_that_a_client_can_meet_is_explained(house: House) -> None:
    page = await house.browser().get("/docs/errors")
    assert {*STATUS, *OAUTH_WORDS} <= set(anchors(page))


async def test_scanners_are_told_of_every_kind_of_secret(house: House) -> None:
    page = await house.browser().get("/docs/tokens")
    pattern = re.search(r"kb_\(.*?\{38}", page.text)
    assert pattern is not None
    for kind in KINDS:
        assert re.fullmatch(pattern[0], compose("kb", kind, "live", "x" * SECRET_LENGTH)), kind


async def test_a_sentence_that_begins_with_a_number_is_not_a_list(house: House) -> None:
    assert not list(read_html((await house.browser().get("/docs/errors")).html).every("ol"))


async def test_an_errors_link_leads_to_its_explanation(house: House) -> None:
    answer = await house.program().get("/api/v2/me")
    address, anchor = re.findall(r'<(.*)#(.*)>; rel="help"', answer.headers["link"])[0]
    assert anchor in anchors(await house.browser().get(address))


async def test_the_reference_shows_every_operation(house: House) -> None:
    page = await house.browser().get(API_REFERENCE.address)
    for path, operations in description(house.settings.issuer)["paths"].items():
        for method, operation in operations.items():
            assert f"{operation['summary']} {method.upper()} {path}" in page.text


def test_an_object_has_every_property_that_the_reference_names() -> None:
    schemas = description("https://auth.example")["components"]["schemas"]
    objects = {name: schema for name, schema in schemas.items() if "object" in schema.get("properties", {})}
    assert objects.keys() >= {"User", "Team", "TeamMember", "Token"}
    for name, schema in objects.items():
        assert set(schema["required"]) == set(schema["properties"]), name


async def test_programs_find_the_guides_as_text(house: House) -> None:
    program = house.program()
    listing = await program.get("/llms.txt")
    assert listing.headers["content-type"] == "text/plain; charset=utf-8"
    links = re.findall(r"\]\((.*?)\)", listing.text)
    assert len(links) == len(GUIDES)
    for link in links:
        answer = await program.get(link)
        assert answer.status_code == 200
        assert answer.headers["content-type"] in {"text/markdown; charset=utf-8", "application/json"}


async def test_there_is_no_other_page(house: House) -> None:
    for path in ("/docs/nothing", "/docs/nothing.md", "/docs/api.md", "/docs/..%2Fdocs", "/docs/"):
        assert (await house.browser().get(path)).status == 404


def test_guides_say_what_holds_on_this_server(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path,
        database_url=SecretStr(""),
        issuer="https://auth.acme.example",
        token_prefix="acme",
        rate_limit="50/second",
        access_token_ttl=5400,
        personal_token_ttl=30 * 24 * 3600,
        permissions={"invoices:read": "See invoices", "invoices:write": "Send invoices"},
    )
    text = {guide.name: text_of(guide, settings) for guide in GUIDES if guide is not API_REFERENCE}
    everything = "\n".join(text.values())
    assert "127.0.0.1:8000" not in everything
    assert "kb_" not in everything
    assert "curl https://auth.acme.example/oauth/token" in text["oauth"]
    assert "acme_pat_test_" in text["first-call"]
    assert "50 calls a second" in text["limits"]
    assert "after 1.5 hours, or when its pair is refreshed" in text["limits"]
    assert '"expires_in": 5400' in text["oauth"]
    assert "after 1 month at most" in text["choosing"]
    assert "| `invoices:read` | See invoices |" in text["oauth-endpoints"]
    assert "| Read only | `read-only` | `invoices:read` |" in text["choosing"]


def anchors(page: Page) -> list[str]:
    return [element.get("id") for element in _all(read_html(page.html)) if element.has("id")]


def _all(top: Element) -> list[Element]:
    below = [child for child in top.children if not isinstance(child, str)]
    return [element for child in below for element in (child, *_all(child))]
