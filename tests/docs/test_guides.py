"""Every example of the guides runs as it stands, in each language, and answers what the guide shows."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from keybearer.server.pages.handbook import API_REFERENCE, GUIDES
from keybearer.server.pages.markdown import LANGUAGES, Block, fenced
from tests.docs.conftest import Office
from tests.docs.reader import Reader, agrees
from tests.support.elements import read_html
from tests.support.people import Person
from tests.support.receiver import receiving

# Guides that are worked through one after the other, each with what the one before has left in the environment.
STORIES: Final = {
    "a personal token": ("first-call", "choosing", "limits", "going-live", "tokens"),
    "an app": ("oauth", "refreshing", "revoking", "oauth-endpoints"),
    "what goes wrong": ("errors",),
    "an API": ("protecting", "promise"),
    "what a team is told": ("webhooks",),
}
NODE_MODULES: Final = Path(__file__).parents[1] / "interop" / "node_modules"
SIGNED_HEADERS: Final = ("WEBHOOK_ID", "WEBHOOK_TIMESTAMP", "WEBHOOK_SIGNATURE", "X_KEYBEARER_SIGNATURE")
CALLBACK: Final = "http://localhost:3000/callback"

MakeReader = Callable[[str], Reader]


@pytest.fixture
def reader_in(office: Office, ada: Person, tmp_path: Path) -> MakeReader:
    """Have somebody who reads the guides in one language, at Ada's browser."""

    def make(language: str) -> Reader:
        return Reader(language, tmp_path, office.server.url, ada, {})

    return make


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_guides_of_a_personal_token_work_as_they_are_written(
    office: Office, ada: Person, reader_in: MakeReader, language: str
) -> None:
    reader = reader_in(language)
    token = await ada.make_token("Nightly import")
    reader.environment["KEYBEARER_TOKEN"] = token
    try:
        await worked_through(reader, ada, STORIES["a personal token"])
    finally:
        # The next language's token has the same name.
        call = f'curl -sX DELETE -H "Authorization: Bearer {token}" {office.server.url}/api/v2/token'
        await Reader("bash", reader.folder, reader.issuer, ada, {}).run(call)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_guides_of_an_app_work_as_they_are_written(ada: Person, reader_in: MakeReader, language: str) -> None:
    reader = reader_in(language)
    app = await ada.register(f"Example app in {language}", CALLBACK)
    reader.environment |= {"KEYBEARER_CLIENT_ID": app.client_id, "KEYBEARER_CLIENT_SECRET": app.secret}
    await worked_through(reader, ada, STORIES["an app"])


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_guides_of_an_api_work_as_they_are_written(
    office: Office, ada: Person, reader_in: MakeReader, language: str
) -> None:
    reader = reader_in(language)
    reader.environment["KEYBEARER_KEY"] = office.key
    await worked_through(reader, ada, STORIES["an API"])


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_guide_to_errors_shows_what_is_answered(
    ada: Person, charles: Person, reader_in: MakeReader, language: str
) -> None:
    reader = reader_in(language)
    app = await ada.register(f"Confidential app in {language}", CALLBACK)
    public = await ada.register(f"Public app in {language}", CALLBACK, kind="public")
    reader.environment |= {
        "KEYBEARER_TOKEN": await ada.make_token(f"Errors in {language}"),
        "READ_ONLY_TOKEN": await charles.make_token(f"Errors in {language}"),
        "KEYBEARER_CLIENT_ID": app.client_id,
        "KEYBEARER_CLIENT_SECRET": app.secret,
        "PUBLIC_CLIENT_ID": public.client_id,
    }
    await worked_through(reader, ada, STORIES["what goes wrong"])


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_guide_to_webhooks_verifies_a_delivery_that_was_sent(
    ada: Person, reader_in: MakeReader, language: str
) -> None:
    """The examples judge a delivery that was really sent, and the body that is shown is like its."""
    reader = reader_in(language)
    (reader.folder / "node_modules").symlink_to(NODE_MODULES)
    async with receiving() as receiver:
        await ada.browser.get("/team/webhooks/new")
        page = await ada.browser.fill_and_submit("Add webhook", url=receiver.url, events=["token.*"])
        secret = page.shown["webhook-secret"]
        await ada.make_token(f"Token in {language}")
        await receiver.has_heard(1)
        await ada.browser.follow("Webhooks")
        await ada.browser.fill_and_submit("Delete", row=f":{receiver.port}")
        await ada.browser.fill_and_submit("Delete webhook")
    (heard,) = receiver.heard
    reader.environment |= {"WEBHOOK_SECRET": secret, "BODY": heard.body.decode()}
    reader.environment |= {name: heard.headers[name.lower().replace("_", "-")] for name in SIGNED_HEADERS}
    await worked_through(reader, ada, STORIES["what a team is told"])
    text = (await ada.browser.get("/docs/webhooks.md")).text
    (shown,) = [block for run in fenced(text) for block in run if block.language == "json"]
    assert agrees(Block("json", is_output=True, text=shown.text), heard.body.decode())


async def test_the_calls_of_the_api_reference_work_in_a_shell(
    office: Office, ada: Person, reader_in: MakeReader
) -> None:
    reader = reader_in("bash")
    (reader.folder / ".curlrc").write_text("silent\nshow-error\nfail\n", "utf-8")
    reader.environment |= {"KEYBEARER_TOKEN": await ada.make_token("Reference"), "TEAM_ID": str(office.team_id)}
    me = await reader.run(f'curl -H "Authorization: Bearer $KEYBEARER_TOKEN" {office.server.url}/api/v2/team/me')
    reader.environment["MEMBER_ID"] = me.partition('"id":')[2].partition(",")[0]
    page = await ada.browser.get(API_REFERENCE.address)
    calls = [code.raw_text for code in read_html(page.html).every("code") if code.get("id").startswith("curl-")]
    last = next(call for call in calls if "DELETE" in call)
    assert len(calls) >= 13
    for call in [*(call for call in calls if call != last), last]:
        await reader.run(call)


async def worked_through(reader: Reader, person: Person, names: tuple[str, ...]) -> None:
    for name in names:
        text = (await person.browser.get(f"/docs/{name}.md")).text
        wanted = sum(block.language == reader.language and not block.is_output for run in fenced(text) for block in run)
        reader.ran = 0
        await reader.work_through(text)
        assert reader.ran == wanted, name


async def test_a_page_shows_each_example_as_its_text_has_it(ada: Person) -> None:
    pages = [guide for guide in GUIDES if guide is not API_REFERENCE]
    for guide in pages:
        text = (await ada.browser.get(f"{guide.address}.md")).text
        page = await ada.browser.get(guide.address)
        shown = [code.raw_text for code in read_html(page.html).every("code") if code.get("id").startswith("code-")]
        blocks = [block.text for run in fenced(text) for block in run]
        assert sorted(shown) == sorted(blocks), guide.name
        assert blocks, guide.name


def test_every_guide_is_in_a_story() -> None:
    assert sorted(name for names in STORIES.values() for name in names) == sorted(
        guide.name for guide in GUIDES if guide is not API_REFERENCE
    )


@pytest.mark.parametrize(
    ("shown", "printed", "is_alike"),
    [
        pytest.param('{"id": 1, "name": "Ada"}', '{"id":7,"name":"Ada"}', True, id="an id is an example"),
        pytest.param('{"id": 1, "name": "Ada"}', '{"id":7,"name":"Bo"}', False, id="a name is not"),
        pytest.param('{"id": 1}', '{"id":"7"}', False, id="an id of another type"),
        pytest.param('{"id": 1}', '{"id":7,"more":1}', False, id="a property too many"),
        pytest.param('{"at": "2026-11-24T12:00:00Z"}', '{"at":"2027-01-01T00:00:00Z"}', True, id="another time"),
        pytest.param('{"at": "2026-11-24T12:00:00Z"}', '{"at":"2027-01-01"}', False, id="no time at all"),
        pytest.param('{"token": "kb_pat_…"}', '{"token":"kb_pat_x1"}', True, id="what is left out"),
        pytest.param('{"token": "kb_pat_…"}', '{"token":"kb_oat_x1"}', False, id="what is not left out"),
        pytest.param('{"is_new": true}', '{"is_new":1}', False, id="1 is not true"),
    ],
)
def test_an_answer_is_compared_with_what_is_shown(shown: str, printed: str, *, is_alike: bool) -> None:
    assert agrees(Block("json", is_output=True, text=shown), printed) is is_alike


async def test_an_example_that_fails_is_noticed(reader_in: MakeReader) -> None:
    reader = reader_in("bash")
    with pytest.raises(AssertionError, match="shown is 200"):
        await reader.work_through("```bash\necho 404\n```\n```text output\n200\n```\n")
    with pytest.raises(AssertionError, match="ended with 3"):
        await reader.work_through("```bash\nexit 3\n```\n")
