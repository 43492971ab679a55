"""What a scrape says, read by the parser of Prometheus's own client library."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from keybearer.server.metrics.scrape import PATH, Scrape
from keybearer.server.metrics.workers import Workers
from tests.support.house import House
from tests.support.processes import ServerProcess


@dataclass(frozen=True, slots=True)
class Scraped:
    """The samples of one scrape."""

    text: str
    samples: dict[tuple[str, tuple[tuple[str, str], ...]], float]

    def value(self, name: str, **labels: str) -> float:
        """Return the value of one series; 0 where nothing was counted yet."""
        return self.samples.get((f"keybearer_{name}", tuple(sorted(labels.items()))), 0.0)

    def risen(self, before: "Scraped", *names: str) -> dict[str, float]:
        """Return which series of these metrics are higher than *before*, and by how much: ``name label label``."""
        return {
            " ".join((name.removeprefix("keybearer_"), *(value for _, value in labels))): value - earlier
            for (name, labels), value in self.samples.items()
            if name.removeprefix("keybearer_") in names
            and value != (earlier := before.samples.get((name, labels), 0.0))
        }


def read(text: str) -> Scraped:
    """Read what was answered."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return Scraped(text, {(each.name, tuple(sorted(each.labels.items()))): each.value for each in samples})


def scrape_process(server: ServerProcess) -> Scraped:
    """Scrape a server process."""
    answer = httpx2.get(f"http://127.0.0.1:{server.metrics_port}{PATH}", timeout=20)
    assert answer.status_code == 200, answer.text
    return read(answer.text)


def scrape_of(house: House, workers: Workers | None = None) -> httpx2.AsyncClient:
    """Lend a client of the address on which a house answers its metrics."""
    application = Scrape(house.node, house.app.state.requests, workers).application
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(application), base_url="http://metrics.test")
    house.lent.push_async_callback(client.aclose)
    return client


def scraping(house: House) -> Callable[[], Awaitable[Scraped]]:
    """Return what scrapes a house, again while its database does not answer in time."""
    client = scrape_of(house)

    async def scrape() -> Scraped:
        while True:
            answer = await client.get(PATH)
            assert answer.status_code == 200, answer.text
            scraped = read(answer.text)
            if scraped.value("database_up"):
                return scraped

    return scrape
