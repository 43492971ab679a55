"""The pages of personal tokens as one person uses them, for the tests of what they do and of what they refuse."""

from dataclasses import dataclass
from typing import Any, Final

import httpx2
from sqlalchemy import select

from keybearer.server.store.tables import tokens
from tests.support.api import Stage, set_stage
from tests.support.browser import Browser
from tests.support.house import House
from tests.support.page import Page
from tests.support.people import Person

NEW: Final = "/settings/tokens/new"
LIST: Final = "/settings/tokens"
_TOKENS: Final = select(tokens)


@dataclass(frozen=True, slots=True)
class TokenDesk:
    """Ada at her browser, signed in, Acme (sandbox) active; she is its admin, and a member of Works (live)."""

    stage: Stage
    ada: Person

    @property
    def house(self) -> House:
        """Where it all happens."""
        return self.stage.house

    @property
    def browser(self) -> Browser:
        """Hers."""
        return self.ada.browser

    async def create(self, **fields: str | list[str]) -> Page:
        """Create a token by the form."""
        await self.browser.get(NEW)
        return await self.browser.fill_and_submit("Create token", row="", **fields)

    async def delete(self, name: str) -> Page:
        """Delete a token from the list, and confirm it."""
        await self.browser.get(LIST)
        await self.browser.fill_and_submit("Delete", row=name)
        return await self.browser.fill_and_submit("Delete token")

    async def call(self, text: str, path: str = "/api/v2/token") -> httpx2.Response:
        """Call the API with a token."""
        return await self.house.api(text).get(path)

    async def kept(self) -> list[Any]:
        """Return the rows of all tokens there are."""
        return list(await self.house.node.database.many(_TOKENS))


async def at_the_tokens(house: House) -> TokenDesk:
    """Sit Ada down at the pages."""
    stage = await set_stage(house)
    ada = Person("Ada", house.browser())
    await ada.sign_in()
    await ada.switch_team(stage.acme.team_id)
    return TokenDesk(stage, ada)
