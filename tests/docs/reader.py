"""An integrator who works through a guide: runs each example as it stands, and keeps what it prints for the next."""

import asyncio
import json
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from keybearer.server.pages.markdown import LANGUAGES, Block, fenced
from tests.support.people import Person

TIMEOUT_S: Final = 60
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_EXPORT: Final = re.compile(r"export (\w+)=(\S+)")
# What a guide can only give an example of.
_VARIES: Final = "…"
_ANY_NUMBER: Final = "id"
_MAY_BE_NULL: Final = "last_used_at"


@dataclass(slots=True)
class Reader:
    """Reads the guides in one language, in one folder; *ran* counts the examples that were run."""

    language: str
    folder: Path
    issuer: str
    person: Person
    environment: dict[str, str]
    ran: int = field(default=0)

    async def work_through(self, text: str) -> None:
        """Run every example of a guide in this reader's language, and compare what it prints with what is shown."""
        for blocks in fenced(text):
            await self._try(*_step(blocks))

    async def _try(self, examples: dict[str, str], shown: Block | None) -> None:
        if self.language not in examples:
            return
        printed = await self.run(examples[self.language])
        self.ran += 1
        if shown is not None:
            assert agrees(shown, printed), f"{examples[self.language]}\nprinted {printed}\nshown is {shown.text}"
        await self._learn(printed)

    async def run(self, example: str) -> str:
        """Run one example in this reader's language; return what it prints."""
        process = await asyncio.create_subprocess_exec(
            *self._command(example),
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8", **self.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(TIMEOUT_S):
            out, err = await process.communicate()
        assert process.returncode == 0, f"{example}\nended with {process.returncode}: {err.decode()}"
        return out.decode().strip()

    def _command(self, example: str) -> list[str | Path]:
        if self.language == "bash":
            return ["bash", "-c", example]
        if self.language == "python":
            return [sys.executable, "-c", example]
        file = self.folder / "example.mjs"
        file.write_text(example, "utf-8")
        return ["node", file]

    async def _learn(self, printed: str) -> None:
        """Do what the guide says with what was printed: keep the tokens, paste the exports, follow the link."""
        if printed.startswith("{"):
            answer = json.loads(printed)
            for name, variable in (("access_token", "TOKEN"), ("refresh_token", "REFRESH_TOKEN")):
                if name in answer:
                    self.environment[f"KEYBEARER_{variable}"] = answer[name]
        self.environment |= dict(_EXPORT.findall(printed))
        if printed.startswith(f"{self.issuer}/oauth/authorize?"):
            await self._allow(printed.splitlines()[0])

    async def _allow(self, link: str) -> None:
        landed = parse_qs(urlsplit(await self.person.consent(link)).query)
        assert landed["state"] == [self.environment["KEYBEARER_STATE"]]
        assert landed["iss"] == [self.issuer]
        self.environment["KEYBEARER_CODE"] = landed["code"][0]


def _step(blocks: list[Block]) -> tuple[dict[str, str], Block | None]:
    """Return what stands together: the example in each language, and what is shown of its answer."""
    examples = {block.language: block.text for block in blocks if block.language in LANGUAGES and not block.is_output}
    shown = [block for block in blocks if block.is_output]
    assert len(shown) <= 1, "two answers to one example"
    return examples, shown[0] if shown else None


def agrees(shown: Block, printed: str) -> bool:
    """Tell whether what was printed is what is shown, but for times, ids and what is left out there as `…`."""
    if shown.language == "json":
        return _alike(json.loads(shown.text), json.loads(printed))
    return _fits(shown.text, printed)


def _alike(shown: Any, printed: Any, name: str = "") -> bool:
    if isinstance(shown, dict) and isinstance(printed, dict):
        return shown.keys() == printed.keys() and all(_alike(shown[key], printed[key], key) for key in shown)
    if isinstance(shown, list) and isinstance(printed, list):
        return len(shown) == len(printed) and all(map(_alike, shown, printed))
    if name == _MAY_BE_NULL:
        return printed is None or _TIME.fullmatch(printed) is not None
    if name == _ANY_NUMBER:
        return type(shown) is type(printed)
    if isinstance(shown, str) and isinstance(printed, str):
        if _TIME.fullmatch(shown):
            return _TIME.fullmatch(printed) is not None
        return _fits(shown, printed)
    return bool(shown == printed) and type(shown) is type(printed)


def _fits(shown: str, printed: str) -> bool:
    pattern = r"[^&\n]+".join(re.escape(part) for part in shown.split(_VARIES))
    return re.fullmatch(pattern, printed) is not None
