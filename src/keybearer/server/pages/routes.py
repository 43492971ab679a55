"""The routes of all pages, in the order of the menu."""

from collections.abc import Callable
from typing import Final

from starlette.routing import BaseRoute

from keybearer.server.node import Node
from keybearer.server.pages import (
    account,
    activity,
    apps,
    client,
    clients,
    consent,
    create_token,
    docs,
    go_live,
    leave_team,
    mail_link,
    member,
    members,
    resource_servers,
    security,
    sign_in,
    sign_out,
    static,
    switch_team,
    team,
    team_apps,
    tokens,
    webhook,
    webhooks,
)

_MAKERS: Final[tuple[Callable[[Node], list[BaseRoute]], ...]] = (
    static.routes,
    sign_in.routes,
    sign_out.routes,
    switch_team.routes,
    tokens.routes,
    create_token.routes,
    clients.routes,
    client.routes,
    go_live.routes,
    apps.routes,
    consent.routes,
    docs.routes,
    account.routes,
    security.routes,
    mail_link.routes,
    team.routes,
    activity.routes,
    leave_team.routes,
    members.routes,
    member.routes,
    team_apps.routes,
    webhooks.routes,
    webhook.routes,
    resource_servers.routes,
)


def routes(node: Node) -> list[BaseRoute]:
    """Return every page's door; each module makes its own."""
    return [door for routes_of in _MAKERS for door in routes_of(node)]
