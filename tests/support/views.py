"""The table of pages to be looked at, one line each, and what is done on a page first."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from playwright.async_api import Page

from tests.support.gallery import APP_ID, CALLBACK, CHANGING_LINK, LONG, MISLEADING_ID, PROVING_LINK

Step = Callable[[Page], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class View:
    """
    A page to look at: one line in the table below.

    Args:
        name: of the test, and of its pictures.
        address: the path to open.
        who: whose browser it is; '' for somebody who is not signed in.
        then: what is done on the page before it is looked at.
        team: a word of the team that is active in this browser; '' for somebody who is in none.
    """

    name: str
    address: str
    who: str = "Ada"
    then: Step | None = None
    team: str = "Sandbox"


def pressing(button: str, **fields: str) -> Step:
    """Fill in fields by name, and press the first button that is called so."""

    async def step(page: Page) -> None:
        for name, value in fields.items():
            await page.fill(f"[name={name}]", value)
        async with page.expect_navigation():
            await page.get_by_role("button", name=button, exact=True).first.click()

    return step


def choosing(*boxes: str) -> Step:
    """Tick or choose what these selectors find."""

    async def step(page: Page) -> None:
        for box in boxes:
            await page.check(box)

    return step


def clicking(selector: str) -> Step:
    """Click what a selector finds."""

    async def step(page: Page) -> None:
        await page.click(selector)
        await page.wait_for_load_state()

    return step


def following(address: str) -> Step:
    """Follow a link that stands on a page of ours."""

    async def step(page: Page) -> None:
        async with page.expect_navigation():
            await page.evaluate("address => location.assign(address)", address)

    return step


def steps(*each: Step) -> Step:
    """Do one after the other."""

    async def step(page: Page) -> None:
        for one in each:
            await one(page)

    return step


def asking(**fields: str) -> str:
    """Return an app's link to the consent page."""
    usual = {"client_id": APP_ID, "redirect_uri": CALLBACK, "response_type": "code", "state": "s1"}
    return f"/oauth/authorize?{urlencode(usual | fields)}"


async def _mistyping(page: Page) -> None:
    """Type a new password in two ways."""
    await page.fill("[name=current_password]", "what it was until now")
    await page.fill("[name=password]", "one long phrase of mine")
    await page.fill("[name=password_again]", "another long phrase of mine")
    async with page.expect_navigation():
        await page.get_by_role("button", name="Change password").click()


CLIENT: Final = clicking("a:has-text('Ledger Sync')")
WIDE_CLIENT: Final = clicking(f"a:has-text('{LONG}')")
GO_LIVE: Final = clicking("a:text-is('Go live')")
WEBHOOK: Final = clicking("th a:has-text('hooks.ledger-sync')")
BAD_PLACES: Final = "http://a.example/cb\nhttps://a.example/#x, javascript:alert(1)"

VIEWS: Final = (
    View("sign-in", "/login", ""),
    View("sign-in-wrong", "/login", "", pressing("Sign in", email="nobody@example.com", password="wrong")),
    View("sign-in-again", "/login?confirm=1&next=/settings/tokens/new"),
    View("sign-out", "/logout"),
    View("menu", "/switch-team", then=clicking("details.menu summary")),
    View("switch-team", "/switch-team"),
    View("switched-team", "/switch-team", "Vera", clicking(".team-choice:has(.live)"), team="Live"),
    View("nothing-here", "/nowhere"),
    View("no-team", "/settings/tokens", "Otto", team=""),
    View("tokens", "/settings/tokens"),
    View("tokens-none-yet", "/settings/tokens", "Vera"),
    View("token-new", "/settings/tokens/new"),
    View("token-new-live", "/settings/tokens/new", team="Live"),
    View(
        "token-new-narrowed",
        "/settings/tokens/new",
        then=choosing("[value=scope]", "[value=custom]", "[value='clients:read']"),
    ),
    View("token-new-linked", "/settings/tokens/new?name=Ci&expires=30&permissions=team:manage,team:read", "Vera"),
    View("token-new-wrong", "/settings/tokens/new", then=pressing("Create token", name="\u202e")),
    View("token-created", "/settings/tokens/new", then=pressing("Create token", name="Made for the picture")),
    View("token-delete", "/settings/tokens", then=pressing("Delete")),
    View("token-deleted", "/settings/tokens", team="Live", then=steps(pressing("Delete"), pressing("Delete token"))),
    View("clients", "/settings/clients"),
    View("clients-none-yet", "/settings/clients", team=LONG),
    View("clients-to-read", "/settings/clients", "Vera"),
    View("client-new", "/settings/clients/new"),
    View("client-new-live", "/settings/clients/new", team="Live"),
    View(
        "client-new-wrong",
        "/settings/clients/new",
        then=pressing("Create API client", name="\u202e", redirect_uris=BAD_PLACES),
    ),
    View(
        "client-created",
        "/settings/clients/new",
        then=pressing("Create API client", name="For the picture", redirect_uris="https://a.example/cb"),
    ),
    View("client", "/settings/clients", then=CLIENT),
    View("client-long", "/settings/clients", then=WIDE_CLIENT),
    View("client-public", "/settings/clients", then=clicking("a:has-text('<b>bold</b>')")),
    View("client-to-read", "/settings/clients", "Vera", CLIENT),
    View("client-wrong", "/settings/clients", then=steps(CLIENT, pressing("Save changes", redirect_uris=BAD_PLACES))),
    View("client-saved", "/settings/clients", then=steps(CLIENT, pressing("Save changes"))),
    View("client-secret", "/settings/clients", then=steps(CLIENT, pressing("Rotate secret"))),
    View(
        "client-rotated",
        "/settings/clients",
        then=steps(CLIENT, pressing("Rotate secret"), clicking("a:text-is('I have copied it')")),
    ),
    View("client-delete", "/settings/clients", then=steps(WIDE_CLIENT, pressing("Delete"))),
    View("client-go-live", "/settings/clients", then=steps(CLIENT, GO_LIVE)),
    View("client-go-live-unfit", "/settings/clients", then=steps(WIDE_CLIENT, GO_LIVE)),
    View("client-go-live-refused", "/settings/clients", then=steps(WIDE_CLIENT, GO_LIVE, pressing("Go live"))),
    View("client-is-live", "/settings/clients", then=steps(CLIENT, GO_LIVE, pressing("Go live"))),
    View("apps", "/settings/apps"),
    View("apps-none-yet", "/settings/apps", "Vera"),
    View("app-revoke", "/settings/apps", then=pressing("Revoke")),
    View("consent", asking(), "Vera"),
    View("consent-again", asking(scope="")),
    View("consent-narrowed", asking(scope="team:read clients:write"), "Vera"),
    View("consent-misleading", asking(client_id=MISLEADING_ID)),
    View("consent-of-nobody", asking(), "Otto", team=""),
    View("consent-unknown-app", asking(client_id="no-such-app")),
    View("consent-refused", "/switch-team", then=following(asking(response_type="token"))),
    View("consent-signed-out", asking(), ""),
    View("docs", "/docs"),
    View("docs-first-call", "/docs/first-call", ""),
    View("docs-choosing", "/docs/choosing"),
    View("docs-oauth", "/docs/oauth", then=clicking("label[for=code-2-tab-python]")),
    View("docs-errors", "/docs/errors", ""),
    View("docs-webhooks", "/docs/webhooks", then=clicking("label[for=code-2-tab-javascript]")),
    View("docs-api", "/docs/api"),
    View("account", "/settings/account"),
    View("account-wrong", "/settings/account", then=pressing("Save name", name="\u202e")),
    View("account-waiting", "/settings/account", "Vera", pressing("Change address", email="vera@example.org")),
    View("account-unproven", "/settings/account", "Otto", team=""),
    View("mail-link-change", f"/mail-link/{CHANGING_LINK}", ""),
    View("mail-link-prove", f"/mail-link/{PROVING_LINK}", ""),
    View("mail-link-over", "/mail-link/none", ""),
    View("security", "/settings/security"),
    View("security-wrong", "/settings/security", then=_mistyping),
    View("team", "/team"),
    View("team-long", "/team", team=LONG),
    View("team-to-read", "/team", "Vera"),
    View("team-wrong", "/team", then=pressing("Save", telephone="\u202e")),
    View("team-leave", "/team/leave"),
    View("team-leave-last", "/team/leave", then=pressing("Leave team")),
    View("activity", "/activity"),
    View("activity-table", "/activity", then=clicking("figure summary")),
    View("activity-of-own", "/activity?outcome=refused", "Vera"),
    View("activity-none-yet", "/activity", "Ben", team="Live"),
    View("activity-wrong", "/activity?user=x&from=yesterday"),
    View("activity-record", "/activity?action=api.called", then=clicking("tbody th a >> nth=0")),
    View("team-apps", "/team/apps"),
    View("team-apps-none-yet", "/team/apps", team=LONG),
    View("team-app-revoke", "/team/apps", then=pressing("Revoke")),
    View("members", "/team/members"),
    View("members-to-read", "/team/members", "Vera"),
    View("member-new", "/team/members/new", then=pressing("Add member", email="nobody@example.com")),
    View("member-role", "/team/members", then=clicking("tr:has-text('Vera') a:text-is('Change role')")),
    View("member-remove", "/team/members", then=pressing("Remove")),
    View("webhooks", "/team/webhooks"),
    View("webhooks-none-yet", "/team/webhooks", team=LONG),
    View("webhook-new", "/team/webhooks/new"),
    View("webhook-new-wrong", "/team/webhooks/new", then=pressing("Add webhook", url="http://127.0.0.1/")),
    View(
        "webhook-added",
        "/team/webhooks/new",
        then=steps(choosing("[value='token.*']"), pressing("Add webhook", url="https://hooks.example.com/")),
    ),
    View("webhook", "/team/webhooks", then=WEBHOOK),
    View("webhook-off", "/team/webhooks", then=clicking("tr:has-text('Switched off') th a")),
    View(
        "webhook-wrong",
        "/team/webhooks",
        then=steps(WEBHOOK, pressing("Save changes", url="https://me@hooks.example.com/")),
    ),
    View("webhook-secret", "/team/webhooks", then=steps(WEBHOOK, pressing("Rotate secret"))),
    View("webhook-delete", "/team/webhooks", then=pressing("Delete")),
    View("resource-servers", "/operator/resource-servers", "Olga"),
    View(
        "resource-server-new", "/operator/resource-servers/new", "Olga", pressing("Add resource server", name="\u202e")
    ),
    View(
        "resource-server-added",
        "/operator/resource-servers/new",
        "Olga",
        pressing("Add resource server", name="For the picture"),
    ),
    View("resource-server-revoke", "/operator/resource-servers", "Olga", pressing("Revoke")),
)
