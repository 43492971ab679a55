"""Mail to people: by SMTP where it is set up, otherwise as files in the data directory."""

import asyncio
import os
import uuid
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.utils import localtime, make_msgid
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from keybearer.server.refusals import Refusal

# Lines as long as RFC 5322 §2.1.1 lets them be: a link that is folded or encoded does not work as plain text.
_POLICY: Final = policy.default.clone(max_line_length=998)
_TIMEOUT_S: Final = 10


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail in plain text to one address."""

    to: str
    subject: str
    text: str


class LetterRefused(Refusal):
    """``unavailable``, but the mail server is there: it does not take this mail, or mail to this address."""


@dataclass(frozen=True, slots=True)
class Mailer:
    """
    Sends plain text mail.

    Args:
        smtp_url: ``smtp://`` or ``smtps://`` with user, password, host and port; empty writes files.
        folder: where files go when there is no SMTP server.
        sender: the From address.
        outcomes: how many mails were ``sent``, and how many ``failed``.
    """

    smtp_url: str
    folder: Path
    sender: str
    outcomes: Counter[str] = field(default_factory=lambda: Counter(sent=0, failed=0))

    async def send(self, letter: Letter) -> None:
        """
        Send *letter*.

        Raises:
            Refusal: ``unavailable``: the mail server, or the disk, does not take it now; a `LetterRefused` if the mail
                server would take others.
            ValueError: there is a line end in a header.

        Source: RFC 5322 §3.6 (``Date`` is required, ``Message-ID`` expected; big providers refuse mail without).
        """
        message = EmailMessage(_POLICY)
        message["From"] = self.sender
        message["To"] = letter.to
        message["Subject"] = letter.subject
        message["Date"] = localtime()
        message["Message-ID"] = make_msgid(domain=message["From"].addresses[0].domain)
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: nobody's absence note answers it
        message.set_content(letter.text)
        try:
            await self._hand_over(message)
        except Refusal:
            self.outcomes["failed"] += 1
            raise
        self.outcomes["sent"] += 1

    async def _hand_over(self, message: EmailMessage) -> None:
        try:
            if self.smtp_url:
                await self._send_by_smtp(message)
            else:
                await asyncio.to_thread(self._write_file, message)
        except OSError as error:
            raise _unavailable(error) from error

    async def _send_by_smtp(self, message: EmailMessage) -> None:
        import aiosmtplib  # noqa: PLC0415 - only where mail leaves the machine

        url = urlsplit(self.smtp_url)
        try:
            await aiosmtplib.send(
                message,
                hostname=url.hostname,
                port=url.port,
                username=unquote(url.username) if url.username else None,
                password=unquote(url.password) if url.password else None,
                use_tls=url.scheme == "smtps",
                start_tls=True if must_begin_tls(url) else None,
                timeout=_TIMEOUT_S,
            )
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPDataError) as error:
            raise _unavailable(error, LetterRefused) from error
        except aiosmtplib.SMTPException as error:
            raise _unavailable(error) from error

    async def forget_before(self, at: int) -> None:
        """Delete the files of mails that were written before *at*: microseconds since 1970 UTC."""
        await asyncio.to_thread(self._delete_files, at)

    def _delete_files(self, at: int) -> None:
        for file in self.folder.glob("*.eml"):
            with suppress(FileNotFoundError):  # another worker was first
                if file.stat().st_mtime_ns < at * 1_000:
                    file.unlink()

    def _write_file(self, message: EmailMessage) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(self.folder / f"{uuid.uuid4()}.eml", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(file, "wb") as opened:
            opened.write(bytes(message))


def _unavailable(error: Exception, kind: type[Refusal] = Refusal) -> Refusal:
    public = "The mail could not be sent, so nothing has changed yet. Try again in a few minutes."
    return kind("unavailable", public, f"mail: {type(error).__name__}")


def must_begin_tls(url: SplitResult) -> bool:
    """
    Tell whether a mail server must offer STARTTLS: a password leaves this machine, which nobody on the way may read.

    If it need not, STARTTLS is used if it is offered.

    Source: RFC 8314 §3 (credentials go by TLS).
    """
    return url.scheme == "smtp" and bool(url.password) and not _is_this_machine(url.hostname or "")


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
