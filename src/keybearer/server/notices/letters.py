"""The texts of notices: a token or an app ends soon, has ended, or was revoked by somebody else."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from keybearer.server.clock import as_datetime
from keybearer.server.mail.mailer import Letter
from keybearer.server.records import ToldNotice
from keybearer.server.settings import Settings


@dataclass(frozen=True, slots=True)
class _Words:
    """
    How a kind of notice is told.

    Args:
        of_one: the subject about a single one, behind what it is.
        of_many: the subject about several, behind their number.
        opening: what is said before they are named.
        moment: what is said before the time.
    """

    of_one: str
    of_many: str
    opening: str
    moment: str


_KINDS: Final = {
    "expiring": _Words("ends soon", "end soon", "Ends soon, by itself:", "ends on"),
    "expired": _Words("has ended", "have ended", "Has ended by itself, and is refused:", "ended on"),
    "revoked": _Words("was revoked", "were revoked", "Was revoked by somebody else, and is refused:", "revoked on"),
}
_ASK_FIRST: Final = """\
If you did not expect that something was revoked, ask whoever did it before you
put anything in its place.
"""


@dataclass(frozen=True, slots=True)
class NoticeLetters:
    """
    Writes these mails: names, last four characters, times and links; nothing that opens a door.

    A name in them was chosen by the user, by an app that they let in, or in a team that they are in. It stands in the
    text alone, on the line of what it names.

    Args:
        settings: the product's name, and the issuer: every link begins with it.
    """

    settings: Settings

    def letter(self, told: Sequence[ToldNotice]) -> Letter:
        """Tell one user all of this, which is at least one; what concerns the sandbox alone begins by saying so."""
        is_sandbox = all(one.standing.environment == "sandbox" for one in told)
        subject = f"{'[Sandbox] ' if is_sandbox else ''}{_subject(told)} on {self.settings.product_name}"
        parts = [f"This is about what may act in your name on {self.settings.product_name}.\n"]
        for kind, words in _KINDS.items():
            named = [_named(one) for one in told if one.kind == kind]
            parts += [f"{words.opening}\n", *named] if named else []
        if any(one.standing.client_id is None for one in told):
            parts.append(self._of_tokens())
        if any(one.standing.client_id is not None for one in told):
            parts.append(self._of_apps())
        if any(one.kind == "revoked" for one in told):
            parts.append(_ASK_FIRST)
        return Letter(told[0].email, subject, "\n".join(parts))

    def _of_tokens(self) -> str:
        return f"""\
A token cannot be extended, and does not come back. If a program still needs
one, create another and put it in its place:

{self.settings.issuer}/settings/tokens
"""

    def _of_apps(self) -> str:
        return f"""\
An app that is used renews its access by itself, until that has ended. To let an
app in again, connect it on its own pages, unless it was deleted. All apps that
you let in are here:

{self.settings.issuer}/settings/apps
"""


def _subject(told: Sequence[ToldNotice]) -> str:
    """Return the subject: no word in it was chosen by anybody."""
    kinds = {one.kind for one in told}
    if len(told) > 1:
        return f"{len(told)} of your tokens and apps {_KINDS[kinds.pop()].of_many if len(kinds) == 1 else 'end'}"
    what = "A personal access token" if told[0].standing.client_id is None else "An app's access"
    return f"{what} {_KINDS[told[0].kind].of_one}"


def _named(one: ToldNotice) -> str:
    what = f"personal access token …{one.last4}" if one.standing.client_id is None else "app"
    lines = [
        f"  {one.name} ({what})",
        f"  in the {one.standing.environment} team {one.team_name}",
        f"  {_KINDS[one.kind].moment} {_moment(one.at)}",
    ]
    if one.kind == "revoked":
        lines.append(f"  {_by_whom(one)}")
    return "\n".join([*lines, ""])


def _by_whom(one: ToldNotice) -> str:
    """Say who revoked it; who deletes an app may be of another team than its users, and is not named to them."""
    if one.client_deleted_at == one.at:
        return "with the app itself: it was deleted"
    return f"by {one.by_name} <{one.by_email}>" if one.by_name else "by an operator of this server"


def _moment(at: int) -> str:
    moment = as_datetime(at)
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"
