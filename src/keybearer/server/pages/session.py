"""Who visits a page: their sign-in, active team and role, and what a page may demand of them."""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from keybearer.server import refusals
from keybearer.server.actions.note_visit import note_visit
from keybearer.server.clock import HOUR, MINUTE, SECOND
from keybearer.server.http.edge import note_in_log
from keybearer.server.http.forms import Form, read_form
from keybearer.server.node import Node
from keybearer.server.pages.cookies import SESSION, read_cookie
from keybearer.server.reads.visit import Visit, visit
from keybearer.server.records import Place, Session, Team, User

RECENT: Final = 4 * HOUR


class SignInNeeded(Exception):
    """
    The page is for people who are signed in, or have typed their password lately; caught by ``doors.page``.

    Args:
        is_confirmation: whether a sign-in is there and only its password is asked for again.
    """

    def __init__(self, *, is_confirmation: bool) -> None:
        super().__init__("confirm" if is_confirmation else "sign in")
        self.is_confirmation = is_confirmation


@dataclass(frozen=True, slots=True)
class Visitor:
    """
    Who looks at a page.

    ``team`` and ``role`` are None for a person without teams. ``team_lost`` tells that the session's team is no longer
    theirs and ``team`` is another: nothing may be changed in it before they have seen that.
    """

    session: Session
    user: User
    team: Team | None
    role: str | None
    permissions: frozenset[str]
    places: tuple[Place, ...]
    team_lost: bool

    @property
    def teams(self) -> tuple[Team, ...]:
        """The user's teams, oldest first."""
        return tuple(place.team for place in self.places)

    @property
    def is_operator(self) -> bool:
        """Whether they operate this server, whatever their teams."""
        return self.user.operator_at is not None

    @property
    def authenticated_at(self) -> int:
        """When the password was last given in this session, microseconds since 1970 UTC."""
        return self.session.authenticated_at


async def maybe_visitor(request: Request) -> Visitor | None:
    """Return who is signed in; None if nobody is."""
    node: Node = request.app.state.node
    cookie = read_cookie(node, request, SESSION)
    if not cookie:
        return None
    now = node.now()
    found = await node.view(visit, cookie, now, now - node.settings.session_idle_ttl * SECOND)
    if found is None:
        return None
    visitor = _visitor(found, node)
    note_in_log(request, user=visitor.user.user_id, team=visitor.team.team_id if visitor.team else None)
    await _note(request, visitor, now)
    return visitor


async def visitor(request: Request) -> Visitor:
    """
    Return who is signed in.

    Raises:
        SignInNeeded: nobody is; the page's door sends them to ``/login`` and back.
    """
    found = await maybe_visitor(request)
    if found is None:
        raise SignInNeeded(is_confirmation=False)
    return found


def is_recent(request: Request, visitor: Visitor) -> bool:
    """Tell whether the password was given in this session within four hours."""
    node: Node = request.app.state.node
    return node.now() - visitor.authenticated_at < RECENT


def require_recent(request: Request, visitor: Visitor) -> None:
    """
    Go on only if the password was given in this session within four hours.

    Raises:
        SignInNeeded: it was not; the page's door asks for it and comes back.
    """
    if not is_recent(request, visitor):
        raise SignInNeeded(is_confirmation=True)


def require_permission(visitor: Visitor, permission: str) -> None:
    """
    Go on only if the visitor's role in the active team gives this permission.

    Raises:
        Refusal: ``forbidden``.
    """
    if permission not in visitor.permissions:
        raise refusals.forbidden(f"page: role {visitor.role} lacks {permission}")


async def confirmed_visitor(request: Request, permission: str) -> Visitor:
    """
    Return who is signed in, if their role gives this permission and they gave their password within four hours.

    Raises:
        SignInNeeded, Refusal: as `visitor`, `require_permission` and `require_recent` do.
    """
    found = await visitor(request)
    require_permission(found, permission)
    require_recent(request, found)
    return found


async def posted_by(request: Request, permission: str) -> tuple[Visitor, Form, Team]:
    """
    Return who posted a form that takes this permission and a recent password, the form, and the team that it acts in.

    Raises:
        SignInNeeded, Refusal: as `visitor`, `require_recent`, `team_of` and `require_permission` do.
    """
    found = await visitor(request)
    require_recent(request, found)
    form = await read_form(request)
    team = team_of(found, form)
    require_permission(found, permission)
    return found, form, team


def active_team(visitor: Visitor) -> Team:
    """
    Return the team that the page shows.

    Raises:
        Refusal: ``not_found``: the visitor is in no team.
    """
    if visitor.team is None:
        raise refusals.not_found("in no team")
    return visitor.team


def team_of(visitor: Visitor, form: Form) -> Team:
    """
    Return the team that a posted form acts in.

    A form names its team in the field ``team``; one that does not (a program's) acts in the active team.

    Raises:
        Refusal: ``conflict``: another tab switched teams since the form was shown, or the team is lost.
    """
    named = form.maybe("team")
    if visitor.team is None:
        raise refusals.Refusal("conflict", "You are in no team, so nothing was changed.", "no team")
    if visitor.team_lost:
        public = "You are no longer in the team you were working in. Nothing was changed."
        raise refusals.Refusal("conflict", public, "team lost")
    if named is not None and named != str(visitor.team.team_id):
        public = (
            f"Your active team is now {visitor.team.name}, but this form was made for another team. "
            "Nothing was changed. Go back, switch to the team you mean, and send the form again."
        )
        raise refusals.Refusal("conflict", public, "form of another team")
    return visitor.team


def _visitor(found: Visit, node: Node) -> Visitor:
    """Pick the active team: the session's, while the user is in it, else their first."""
    own = next((place for place in found.places if place.team.team_id == found.session.team_id), None)
    active = own or (found.places[0] if found.places else None)
    return Visitor(
        session=found.session,
        user=found.user,
        team=active.team if active else None,
        role=active.role if active else None,
        permissions=node.role_permissions[active.role] if active else frozenset(),
        places=found.places,
        team_lost=found.session.team_id is not None and own is None,
    )


async def _note(request: Request, visitor: Visitor, now: int) -> None:
    """Write down, at most once a minute, that the session is in use; and a changed team once a page could say so."""
    team_id = visitor.team.team_id if visitor.team else None
    is_shown = request.method == "GET" and team_id != visitor.session.team_id
    if now - visitor.session.seen_at >= MINUTE or is_shown:
        kept = team_id if is_shown else visitor.session.team_id
        await request.app.state.node.act(note_visit, visitor.session, kept, now)
