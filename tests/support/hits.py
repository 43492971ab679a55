"""The doors that can tell a hit, and a token that they know."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from keybearer.server.settings import Settings
from tests.support.api import Stage, set_stage
from tests.support.clock import HandBoottime, HandClock
from tests.support.house import open_house
from tests.support.sockets import Answer, Front, on_a_socket
from tests.support.verifiers import asking


@dataclass(frozen=True, slots=True)
class Doors:
    """What is asked at the doors that can tell a hit."""

    stage: Stage
    front: Front
    token: str
    key: str

    @property
    def introspect(self) -> bytes:
        """Ask as a resource server."""
        form = f"token={self.token}".encode()
        return b"POST /oauth/introspect HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n%b\r\n%b" % (
            self.key.encode(),
            b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n" % len(form),
            form,
        )

    @property
    def forward(self) -> bytes:
        """Ask as a gateway."""
        token, key = self.token.encode(), self.key.encode()
        head = b"GET /forward-auth HTTP/1.1\r\nHost: x\r\nUser-Agent: curl/8\r\nX-Forwarded-Method: POST\r\n"
        return head + b"X-Keybearer-Key: %b\r\nAuthorization: Bearer %b\r\n\r\n" % (key, token)

    @property
    def me(self) -> bytes:
        """Ask as an integrator, whose token it is."""
        return self.api("/me")

    def api(self, path: str) -> bytes:
        """Ask the API."""
        head = b"GET /api/v2%b HTTP/1.1\r\nHost: x\r\nUser-Agent: curl/8\r\n" % path.encode()
        return head + b"Authorization: Bearer %b\r\n\r\n" % self.token.encode()

    async def hit(self, question: bytes) -> Answer:
        """Ask until the application is not asked: it is once after each change of something that the feed tells of."""
        async with asyncio.timeout(20):
            while True:
                asked = self.front.asked
                [answer] = await self.front.ask(question)
                if self.front.asked == asked:
                    return answer

    async def is_hit(self, question: bytes) -> bool:
        """Tell whether the application is not asked."""
        asked = self.front.asked
        await self.front.ask(question)
        return self.front.asked == asked


@asynccontextmanager
async def doors_of(url: str, tmp_path: Path, clock: HandClock) -> AsyncIterator[Doors]:
    """Have a token known in a house whose clocks stand still: the node need not look around again."""
    settings = Settings(data_dir=tmp_path, database_url=SecretStr(url), issuer="https://keybearer.test")
    async with open_house(settings, clock.now, HandBoottime().now, clock.elapsed) as house, on_a_socket(house) as front:
        stage = await set_stage(house)
        token = await stage.scene.personal_token(stage.ada, stage.acme)
        doors = Doors(stage, front, token, (await asking(house)).key)
        for question in (doors.introspect, doors.forward, doors.me):
            assert (await front.ask(question))[0].status == 200
        yield doors
