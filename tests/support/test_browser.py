"""The small browser does what a real one would do without JavaScript."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qsl

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.support.browser import Browser

FORM = """
<title>A form</title><script>let hidden = "<p>unseen";</script>
<p>Hello   <b>you</b>&amp;me</p> <a href="/form?again=1">Again</a>
<code data-kb="token">kb_pat_test_x</code>
<form method="post" action="/echo" id="main">
  <input type="hidden" name="csrf" value="c1"><input name="name" value="old">
  <input type="password" name="password">
  <input type="checkbox" name="scope" value="a" checked><input type="checkbox" name="scope" value="b">
  <input name="off" value="x" disabled>
  <select name="team"><option value="1">One<option value="2" selected>Two</select>
  <select name="first"><option value="f1">F</option><option value="f2">G</option></select>
  <textarea name="redirect_uris">
https://a.test/cb
https://b.test/cb</textarea>
  <button name="decision" value="allow">Allow</button><button name="decision" value="deny">Deny</button>
</form>
<input name="outside" value="o" form="main">
<table>
  <tr><td>First</td><td><form method="post" action="/delete/1"><button>Delete</button></form></td></tr>
  <tr><td>Second</td><td><form method="post" action="/delete/2"><button>Delete</button></form></td></tr>
</table>
<form action="/form"><input name="q" value=""><button>Search</button></form>
"""


async def show_form(request: Request) -> Response:
    if "q" in request.query_params:
        return JSONResponse({"q": request.query_params["q"]})
    return HTMLResponse(FORM)


async def echo(request: Request) -> Response:
    sent = parse_qsl((await request.body()).decode(), keep_blank_values=True)
    wanted = ("origin", "sec-fetch-site", "content-type")
    return JSONResponse({"sent": sent, "headers": {name: request.headers[name] for name in wanted}})


async def delete(request: Request) -> Response:
    answer = RedirectResponse(f"/seen?deleted={request.path_params['number']}", 303)
    answer.set_cookie("flash", "gone", secure=True, httponly=True)
    return answer


async def seen(request: Request) -> Response:
    return JSONResponse({"method": request.method, "cookies": request.cookies, **request.query_params})


async def leave(_: Request) -> Response:
    return RedirectResponse("https://app.elsewhere.test/cb?code=1", 303)


async def circle(_: Request) -> Response:
    return RedirectResponse("/circle", 303)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    routes = [
        Route("/form", show_form),
        Route("/echo", echo, methods=["POST"]),
        Route("/delete/{number}", delete, methods=["POST"]),
        Route("/seen", seen),
        Route("/leave", leave),
        Route("/circle", circle),
    ]
    transport = httpx2.ASGITransport(Starlette(routes=routes))
    async with httpx2.AsyncClient(transport=transport, base_url="https://house.test") as client:
        yield Browser(client)


async def sent_by(browser: Browser, button: str, **fields: str | list[str]) -> list[tuple[str, str]]:
    await browser.get("/form")
    page = await browser.fill_and_submit(button, "", **fields)
    return [(name, value) for name, value in httpx2.Response(200, text=page.text).json()["sent"]]


async def test_a_page_is_read_as_a_person_reads_it(browser: Browser) -> None:
    page = await browser.get("/form")
    assert (page.status, page.title, page.shown) == (200, "A form", {"token": "kb_pat_test_x"})
    assert "Hello you&me Again" in page.text
    assert "unseen" not in page.text


async def test_a_form_left_alone_sends_what_it_holds(browser: Browser) -> None:
    assert sorted(await sent_by(browser, "Allow")) == [
        ("csrf", "c1"),
        ("decision", "allow"),
        ("first", "f1"),
        ("name", "old"),
        ("outside", "o"),
        ("password", ""),
        ("redirect_uris", "https://a.test/cb\nhttps://b.test/cb"),
        ("scope", "a"),
        ("team", "2"),
    ]


async def test_what_is_filled_in_replaces_what_was_there(browser: Browser) -> None:
    sent = await sent_by(browser, "decision=deny", name="new", scope=["a", "b"], redirect_uris=[])
    assert [value for name, value in sent if name == "scope"] == ["a", "b"]
    assert dict(sent)["name"] == "new"
    assert dict(sent)["decision"] == "deny"
    assert "redirect_uris" not in dict(sent)


async def test_a_field_that_is_not_there_is_an_error(browser: Browser) -> None:
    with pytest.raises(LookupError, match="no field \\['nome'\\]"):
        await sent_by(browser, "Allow", nome="x")


async def test_the_row_tells_which_of_several_buttons_is_meant(browser: Browser) -> None:
    await browser.get("/form")
    with pytest.raises(LookupError, match="2 buttons 'Delete'"):
        await browser.fill_and_submit("Delete")
    page = await browser.fill_and_submit("Delete", row="Second")
    assert page.url == "https://house.test/seen?deleted=2"


async def test_a_redirect_after_a_post_is_followed_by_get_with_the_new_cookie(browser: Browser) -> None:
    page = await browser.post("/delete/1", [])
    assert httpx2.Response(200, text=page.text).json() == {
        "method": "GET",
        "cookies": {"flash": "gone"},
        "deleted": "1",
    }


async def test_a_form_without_a_method_is_a_search(browser: Browser) -> None:
    await browser.get("/form")
    page = await browser.fill_and_submit("Search", q="a b&c")
    assert page.url == "https://house.test/form?q=a+b%26c"
    assert page.text == '{"q":"a b&c"}'


async def test_a_link_is_followed_by_its_text(browser: Browser) -> None:
    await browser.get("/form")
    assert (await browser.follow("Again")).url == "https://house.test/form?again=1"
    with pytest.raises(LookupError, match="0 links 'Nowhere'"):
        await browser.follow("Nowhere")


async def test_it_never_leaves_the_house(browser: Browser) -> None:
    page = await browser.get("/leave")
    assert (page.status, page.location) == (303, "https://app.elsewhere.test/cb?code=1")


async def test_a_circle_of_redirects_is_an_error(browser: Browser) -> None:
    with pytest.raises(RuntimeError, match="more than 10 redirects"):
        await browser.get("/circle")


@pytest.mark.parametrize(
    ("site", "origin"), [("same-origin", "https://house.test"), ("cross-site", "https://elsewhere.test")]
)
async def test_a_post_says_where_it_comes_from(browser: Browser, site: str, origin: str) -> None:
    page = await browser.post("/echo", [("a", "1")], site=site)
    assert httpx2.Response(200, text=page.text).json() == {
        "sent": [["a", "1"]],
        "headers": {"origin": origin, "sec-fetch-site": site, "content-type": "application/x-www-form-urlencoded"},
    }
