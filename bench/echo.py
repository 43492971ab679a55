"""The least that a server does with a form on the same uvicorn: read it, take it apart, answer with JSON."""

import sys
from typing import Final
from urllib.parse import parse_qsl

import msgspec
import uvicorn
from starlette.types import Receive, Scope, Send

from keybearer.cli.running import listen

_ENCODER: Final = msgspec.json.Encoder()


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the form's fields."""
    if scope["type"] != "http":
        return
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    answer = _ENCODER.encode(dict(parse_qsl(body.decode())))
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


if __name__ == "__main__":
    config = uvicorn.Config(
        echo,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
    )
    uvicorn.Server(config).run([listen("127.0.0.1", int(sys.argv[1]))])
