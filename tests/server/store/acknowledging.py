"""Write rows until killed, and print each name after its acknowledgement: `python -m … URL PREFIX [COUNT]`."""

import asyncio
import sys

from keybearer.server.store.database import Database, open_database
from tests.server.store.trial import add_and_announce

WAITERS = 8


async def write(database: Database, prefix: str, count: int) -> None:
    for number in range(count):
        name = await database.transact(add_and_announce, f"{prefix}-{number}")
        sys.stdout.write(f"{name}\n")
        sys.stdout.flush()


async def main(url: str, prefix: str, count: int) -> None:
    database = await open_database(url)
    await asyncio.gather(*(write(database, f"{prefix}{waiter}", count) for waiter in range(WAITERS)))
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1_000_000))
