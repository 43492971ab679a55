"""curl calls the API with a personal token, as its own option for bearer tokens sends it."""

import asyncio
import json

from tests.interop.town import Town
from tests.support.people import Person


async def curl(*words: str) -> str:
    process = await asyncio.create_subprocess_exec("curl", "--silent", *words, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


async def test_a_personal_token_works_as_curls_bearer_token(town: Town, ada: Person) -> None:
    token = await ada.make_token("curl")
    assert json.loads(await curl("--oauth2-bearer", token, f"{town.url}/api/v2/me"))["email"] == "ada@example.com"
    assert await curl("--oauth2-bearer", token, "--write-out", "%{http_code}", f"{town.url}/api/v2/status") == "204"
    spoilt = token[:-1] + ("a" if token[-1] != "a" else "b")
    refused = json.loads(await curl("--oauth2-bearer", spoilt, f"{town.url}/api/v2/me"))
    assert refused == {"error": "Unauthenticated."}
