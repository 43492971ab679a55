"""The synchronous verifier where gevent has put greenlets in the place of threads."""

import subprocess
import sys
from pathlib import Path

from tests.sdk.fake_node import KEY, FakeNode

# Its own process: what gevent replaces stays replaced.
PROGRAM = """
from gevent import monkey, pool, server

monkey.patch_all()

import asyncio
import sys

from keybearer import ActivityLog, SyncVerifier
from keybearer.reporting.asked import Asked

url, key, folder, *tokens = sys.argv[1:]


def call(token):
    principal = verifier.verify(token)
    verifier.count(principal)
    recorder = verifier.reporter
    recorder.wait_kept(recorder.begin(principal.bearer, Asked("GET", "/people")).answered(200))
    return principal.user_id


async def anything():
    return "an event loop of its own"


server.StreamServer(("127.0.0.1", 0), print).start()  # as in any API: gevent takes who waits and nothing else for dead
with SyncVerifier(url, key=key).reporting(ActivityLog(folder, "durable")) as verifier:
    print(sorted(pool.Pool(20).map(call, tokens * 5)))
    print(asyncio.run(anything()))  # it would refuse, as Django's database does, if one ran in this thread already
"""


BRIEF = """
import sys

from gevent import monkey, server

monkey.patch_all()

from keybearer import SyncVerifier

url, key, token = sys.argv[1:]
server.StreamServer(("127.0.0.1", 0), print).start()
verifier = SyncVerifier(url, key=key)
print(verifier.verify(token).user_id)
"""


def test_it_runs_in_a_thread_of_its_own_and_leaves_everybody_elses_alone(node: FakeNode, tmp_path: Path) -> None:
    tokens = [node.issue(user_id=1), node.issue(user_id=2)]
    program = [sys.executable, "-W", "error", "-c", PROGRAM, node.url, KEY, str(tmp_path), *tokens]
    done = subprocess.run(program, capture_output=True, text=True, timeout=50, check=False)
    assert done.stdout.splitlines() == [str([1] * 5 + [2] * 5), "an event loop of its own"], done.stderr


def test_a_process_that_ends_without_closing_it_ends_well(node: FakeNode) -> None:
    """Its thread is through with greenlets by then: Python ends a thread that is not in a way that they do not bear."""
    program = [sys.executable, "-W", "error", "-c", BRIEF, node.url, KEY, node.issue(user_id=1)]
    for _ in range(3):
        done = subprocess.run(program, capture_output=True, text=True, timeout=50, check=False)
        assert (done.stdout, done.returncode) == ("1\n", 0), done.stderr
