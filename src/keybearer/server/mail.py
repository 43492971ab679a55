"""Mail to people: by SMTP where it is set up, otherwise as files in the data directory."""

import asyncio
import os
import uuid
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Mailer:
    """
    Sends plain text mail.

    Args:
        smtp_url: ``smtp://`` or ``smtps://`` with user, password, host and port; empty writes files.
        folder: where files go when there is no SMTP server.
        sender: the From address.
    """

    smtp_url: str
    folder: Path
    sender: str

    async def send(self, to: str, subject: str, text: str) -> None:
        """Send *text* to the one address *to*; a line end in a header is refused by the message itself (ValueError)."""
        message = EmailMessage()
        message["From"] = self.sender
        message["To"] = to
        message["Subject"] = subject
        message.set_content(text)
        if self.smtp_url:
            await self._send_by_smtp(message)
        else:
            await asyncio.to_thread(self._write_file, message)

    async def _send_by_smtp(self, message: EmailMessage) -> None:
        import aiosmtplib  # noqa: PLC0415 - only where mail leaves the machine

        url = urlsplit(self.smtp_url)
        await aiosmtplib.send(
            message,
            hostname=url.hostname,
            port=url.port,
            username=unquote(url.username) if url.username else None,
            password=unquote(url.password) if url.password else None,
            use_tls=url.scheme == "smtps",
            timeout=10,
        )

    def _write_file(self, message: EmailMessage) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(self.folder / f"{uuid.uuid4()}.eml", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(file, "wb") as opened:
            opened.write(bytes(message))
