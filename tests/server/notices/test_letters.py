"""One mail tells all that waits for a user: each thing by its name, each piece of advice once, no name on top."""

from keybearer.server.notices.letters import NoticeLetters
from keybearer.server.records import Standing, ToldNotice
from keybearer.server.settings import Settings
from tests.support.clock import START

LETTERS = NoticeLetters(Settings(issuer="https://keybearer.test"))


def told(kind: str, name: str, client_id: str | None = None, environment: str = "sandbox") -> ToldNotice:
    standing = Standing(1, 2, environment, client_id, None, START, START, None, None, "member", None)
    return ToldNotice(kind, START, 0, "ada@example.com", name, "a1B2", "Acme", None, None, None, standing)


def test_news_of_several_kinds_stands_in_one_mail_with_each_piece_of_advice_once() -> None:
    news = [told("revoked", "Import"), told("expiring", "Export"), told("expired", "Ledger Sync", "an-app", "live")]
    letter = LETTERS.letter(news)
    assert (letter.to, letter.subject) == ("ada@example.com", "3 of your tokens and apps end on Keybearer")
    assert (
        letter.text
        == """\
This is about what may act in your name on Keybearer.

Ends soon, by itself:

  Export (personal access token …a1B2)
  in the sandbox team Acme
  ends on 24 November 2026, 12:00 UTC

Has ended by itself, and is refused:

  Ledger Sync (app)
  in the live team Acme
  ended on 24 November 2026, 12:00 UTC

Was revoked by somebody else, and is refused:

  Import (personal access token …a1B2)
  in the sandbox team Acme
  revoked on 24 November 2026, 12:00 UTC
  by an operator of this server

A token cannot be extended, and does not come back. If a program still needs
one, create another and put it in its place:

https://keybearer.test/settings/tokens

An app that is used renews its access by itself, until that has ended. To let an
app in again, connect it on its own pages, unless it was deleted. All apps that
you let in are here:

https://keybearer.test/settings/apps

If you did not expect that something was revoked, ask whoever did it before you
put anything in its place.
"""
    )
