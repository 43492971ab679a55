"""The guides for integrators: which there are, and their text with this server's own address and limits in it."""

from dataclasses import dataclass
from typing import Any, Final

from jinja2 import Environment, StrictUndefined

from keybearer.server.http.intake import MAX_BODY_BYTES
from keybearer.server.limits.rate_limits import lent_of, slack_of
from keybearer.server.pages.texts import texts_in
from keybearer.server.pages.times import duration
from keybearer.server.reads.webhooks import offered_events
from keybearer.server.roles import ROLE_TITLES
from keybearer.server.settings import Settings


@dataclass(frozen=True, slots=True)
class Guide:
    """One page of the guides; its text is ``guides/<name>.md``."""

    name: str
    title: str
    summary: str

    @property
    def address(self) -> str:
        """Where it is read."""
        return f"/docs/{self.name}"


API_REFERENCE: Final = Guide("api", "API reference", "Every endpoint: what it needs, takes and answers.")
GROUPS: Final = (
    (
        "Start",
        (
            Guide("first-call", "First call", "From a personal access token to an answer, in a minute."),
            Guide("choosing", "Which kind of token", "Personal access token or OAuth: who each suits, and why."),
        ),
    ),
    (
        "OAuth",
        (
            Guide("oauth", "OAuth step by step", "Send a user to the consent page, come back with tokens."),
            Guide("refreshing", "Refreshing", "A new pair of tokens before the old one ends, safely."),
            Guide("revoking", "Revoking", "End a token from a program, and see what users can end themselves."),
        ),
    ),
    (
        "Running an integration",
        (
            Guide("errors", "Errors", "Every error code: its cause, the fix, an example."),
            Guide("limits", "Limits", "How many calls, how large, how long, and what to do at the limit."),
            Guide("webhooks", "Webhooks", "Your program is told what happens in a team, and can verify who sends it."),
            Guide("going-live", "From sandbox to production", "What changes, what does not, and a list to tick off."),
        ),
    ),
    (
        "An API of your own",
        (
            Guide("protecting", "Protect your API", "FastAPI, Flask or Django: tokens verified in five minutes."),
            Guide("promise", "What revoking promises", "How soon an ended token is refused, the cost, the limits."),
        ),
    ),
    (
        "Reference",
        (
            API_REFERENCE,
            Guide("oauth-endpoints", "OAuth endpoints", "Addresses, parameters and answers, and the metadata."),
            Guide("tokens", "Token format", "How to recognise a token, and check it for typing errors."),
        ),
    ),
)
GUIDES: Final = tuple(guide for _, guides in GROUPS for guide in guides)
_ENVIRONMENT: Final = Environment(
    loader=texts_in("guides"),
    autoescape=False,  # noqa: S701 - what comes out is Markdown; HTML in it is shown as text
    undefined=StrictUndefined,
    trim_blocks=True,
    keep_trailing_newline=True,
)


def text_of(guide: Guide, settings: Settings) -> str:
    """Return a guide's Markdown, with what holds for this server filled in."""
    return _ENVIRONMENT.get_template(f"{guide.name}.md").render(_facts(settings))


def listing(settings: Settings) -> str:
    """
    Return the list of guides for programs that read.

    Source: https://llmstxt.org
    """
    lines = [f"# {settings.product_name}", "", "> Personal access tokens and OAuth 2.0 for an API."]
    for title, guides in GROUPS:
        lines += ["", f"## {title}", ""]
        lines += [f"- [{guide.title}]({_text_address(guide, settings)}): {guide.summary}" for guide in guides]
    return "\n".join([*lines, ""])


def _text_address(guide: Guide, settings: Settings) -> str:
    """Return where a program reads the guide; the API reference's source is the OpenAPI description."""
    if guide is API_REFERENCE:
        return f"{settings.issuer}/api/v2/openapi.json"
    return f"{settings.issuer}{guide.address}.md"


def _facts(settings: Settings) -> dict[str, Any]:
    calls, _ = settings.rate
    return {
        "issuer": settings.issuer,
        "product": settings.product_name,
        "prefix": settings.token_prefix,
        "bound": settings.bound,
        "lease": f"{settings.lease_s:g}",
        "calls": calls,
        "slack": slack_of(settings.rate),
        "lent": lent_of(settings.rate),
        "window": settings.rate_limit.partition("/")[2],
        "personal_lifetime": duration(settings.personal_token_ttl),
        "access_seconds": settings.access_token_ttl,
        "access_lifetime": duration(settings.access_token_ttl),
        "refresh_lifetime": duration(settings.refresh_token_ttl),
        "refresh_idle": duration(settings.refresh_idle_ttl),
        "code_lifetime": duration(settings.code_ttl),
        "patience": duration(settings.request_timeout),
        "max_body": f"{MAX_BODY_BYTES:,}",
        "permissions": settings.permissions,
        "notices": settings.notices == "on",
        "events": [event for choice in offered_events() for event in choice.events],
        "roles": {name: (ROLE_TITLES[name], settings.role_permissions[name]) for name in ROLE_TITLES},
    }
