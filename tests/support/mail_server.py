"""A small mail server: it takes mail by SMTP, in the clear or by TLS, or says that it cannot now."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from ssl import SSLContext
from typing import Final

USER, PASSWORD = "mail@example.com", "sec/ret: #1"  # in a URL, both must be percent-encoded
_AUTH: Final = b"AUTH PLAIN " + base64.b64encode(f"\0{USER}\0{PASSWORD}".encode())
_END: Final = b"\r\n.\r\n"


@dataclass(slots=True)
class MailServer:
    """
    What was taken, and whether anything is taken now.

    Args:
        upgrade: what STARTTLS is answered with; None does not offer it.
        unknown: an address that no mail is taken for.
        was_secret: of each mail, whether it came by TLS.
        meanwhile: what happens elsewhere while a mail is taken.
    """

    port: int = 0
    upgrade: SSLContext | None = None
    is_away: bool = False
    unknown: str = ""
    meanwhile: Callable[[], Awaitable[None]] | None = None
    taken: list[EmailMessage] = field(default_factory=list)
    was_secret: list[bool] = field(default_factory=list)
    _serving: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk to one client until it hangs up."""
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await self._converse(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        self._serving.discard(task)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.test ESMTP\r\n")
        while (line := (await reader.readuntil(b"\r\n")).strip()) != b"QUIT":
            verb = line.partition(b" ")[0].upper()
            if verb == b"STARTTLS" and self.upgrade:
                writer.write(b"220 go ahead\r\n")
                await writer.start_tls(self.upgrade)
            elif verb == b"DATA":
                writer.write(b"354 end with a dot\r\n")
                if self.meanwhile:
                    await self.meanwhile()
                self._take(await reader.readuntil(_END), is_secret=writer.get_extra_info("sslcontext") is not None)
                writer.write(b"250 taken\r\n")
            else:
                writer.write(self._answer(verb, line, writer))
        writer.write(b"221 bye\r\n")

    def _answer(self, verb: bytes, line: bytes, writer: asyncio.StreamWriter) -> bytes:
        if verb == b"EHLO":
            can_upgrade = self.upgrade and not writer.get_extra_info("sslcontext")
            return b"250-mail.test\r\n" + (b"250-STARTTLS\r\n" if can_upgrade else b"") + b"250 AUTH PLAIN\r\n"
        if verb == b"AUTH":
            return b"235 welcome\r\n" if line == _AUTH else b"535 wrong password\r\n"
        if verb == b"RCPT" and self.unknown and self.unknown.encode() in line:
            return b"550 nobody here\r\n"
        return b"451 not now\r\n" if verb == b"MAIL" and self.is_away else b"250 ok\r\n"

    def _take(self, body: bytes, *, is_secret: bool) -> None:
        text = body.removesuffix(_END).replace(b"\r\n..", b"\r\n.")
        self.taken.append(message_from_bytes(text, EmailMessage, policy=policy.default))
        self.was_secret.append(is_secret)

    async def close(self) -> None:
        """Wait for whoever is being talked to."""
        await asyncio.gather(*self._serving)


@asynccontextmanager
async def mail_server(trust: SSLContext | None = None, upgrade: SSLContext | None = None) -> AsyncIterator[MailServer]:
    """
    Have a mail server listen while the block lasts.

    Args:
        trust: TLS from the beginning.
        upgrade: TLS by STARTTLS.
    """
    server = MailServer(upgrade=upgrade)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=trust)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        await listener.wait_closed()
        await server.close()
