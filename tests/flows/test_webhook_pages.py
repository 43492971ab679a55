"""Owners manage their team's webhooks on ``/team/webhooks``: the secret is shown once, and all they do is recorded."""

from tests.support.people import Person
from tests.support.webhook_desk import LIST, HookDesk


async def test_the_secret_is_shown_once_and_never_again(desk: HookDesk) -> None:
    page = await desk.ada.browser.get(LIST)
    assert "No webhooks yet" in page.text
    hook = await desk.add(["token.*", "token.created", "member.left"])
    assert hook.secret.startswith("whsec_")
    assert desk.ada.browser.page.headers["cache-control"] == "no-store"
    for path in (LIST, hook.path, f"{hook.path}/delete"):
        page = await desk.ada.browser.get(path)
        assert desk.receiver.url in page.text
        assert hook.secret not in page.html
    listed = await desk.ada.browser.get(LIST)
    assert "token.*member.left" in listed.text.replace(" ", "")  # what a wildcard covers is not kept beside it


async def test_a_form_that_is_wrong_comes_back_with_what_was_typed(desk: HookDesk) -> None:
    page = await desk.try_to_add(["token.created"], "https://me@a.example/")
    assert (page.status, page.title.startswith("Error: ")) == (422, True)
    assert 'id="error-url"' in page.html
    assert 'id="error-events"' not in page.html
    assert 'value="https://me@a.example/"' in page.html
    assert 'value="token.created" aria-describedby="tells-token.created" checked' in page.html
    page = await desk.try_to_add([], "nowhere")
    assert ('id="error-url"' in page.html, 'id="error-events"' in page.html) == (True, True)
    assert "No webhooks yet" in (await desk.ada.browser.get(LIST)).text


async def test_a_change_counts_for_what_comes_and_everything_is_recorded(desk: HookDesk) -> None:
    hook = await desk.add(["member.*"])
    page = await desk.press(hook, "Save changes", url=f"{desk.receiver.url}/new", events=["token.created"])
    assert "are saved" in page.text
    page = await desk.press(hook, "Save changes", url="nowhere")
    assert (page.status, "Enter a complete URL" in page.text) == (422, True)
    page = await desk.press(hook, "Rotate secret", overlap="soon")
    assert page.status == 422
    await desk.press(hook, "Rotate secret", overlap="now")
    await desk.press(hook, "Send a test event")
    await desk.all_sent()
    assert [(each.event, each.path) for each in desk.receiver.heard] == [("webhook.test", "/hooks/new")]
    await desk.press(hook, "Resend")
    await desk.all_sent()
    page = await desk.press(hook, "Delete")
    assert f"Delete the webhook to 127.0.0.1:{desk.receiver.port}?" in page.text
    page = await desk.ada.browser.fill_and_submit("Delete webhook")
    assert "The webhook is deleted." in page.text
    assert (await desk.ada.browser.get(hook.path)).status == 404
    assert await desk.recorded() == [
        "webhook.created",
        "webhook.changed",
        "webhook.secret_rotated",
        "webhook.tested",
        "webhook.resent",
        "webhook.deleted",
    ]


async def test_only_those_who_manage_the_team_see_its_webhooks(desk: HookDesk) -> None:
    hook = await desk.add()
    await desk.play.scene.member(desk.play.acme, desk.play.bob, "member")
    bob = Person("Bob", await desk.play.browser(desk.play.bob))
    await bob.switch_team(desk.play.acme.team_id)
    assert "Webhooks" not in (await bob.browser.get("/team")).text
    for path in (LIST, f"{LIST}/new", hook.path, f"{hook.path}/delete"):
        assert (await bob.browser.get(path)).status == 403
    await bob.switch_team(desk.play.birch.team_id)
    for path in (hook.path, f"{hook.path}/delete"):
        assert (await bob.browser.get(path)).status == 404


async def test_whoever_changes_webhooks_has_given_their_password_lately(desk: HookDesk) -> None:
    hook = await desk.add()
    desk.clock.advance(hours=4)
    assert (await desk.ada.browser.get(LIST)).status == 200
    for path, fields in (
        (f"{LIST}/new", [("url", "https://a.example/")]),
        (f"{hook.path}/rotate", []),
        (hook.path, []),
    ):
        page = await desk.ada.browser.post(path, fields)
        assert page.url.startswith(f"{desk.house.settings.issuer}/login")
    assert await desk.recorded() == ["webhook.created"]


async def test_a_team_has_ten_webhooks_at_most_and_a_log_of_many_pages(desk: HookDesk) -> None:
    hook = await desk.add()
    for _ in range(9):
        await desk.add()
    page = await desk.try_to_add()
    assert (page.status, "no more fit" in page.text) == (422, True)
    page = await desk.ada.browser.get(f"{hook.path}?page=2")
    assert page.status == 404
