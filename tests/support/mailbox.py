"""The mail that a house without a mail server has written into its data directory."""

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Everybody's mail; `folder` is `mail` in the data directory."""

    folder: Path

    def all(self) -> list[EmailMessage]:
        """Return every mail, oldest first."""
        files = sorted(self.folder.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
        return [message_from_bytes(file.read_bytes(), EmailMessage, policy=policy.default) for file in files]

    def last_to(self, address: str) -> EmailMessage:
        """Return the newest mail to *address*."""
        found = [mail for mail in self.all() if mail["To"] == address]
        if not found:
            raise LookupError(f"no mail to {address}; there is mail to {[mail['To'] for mail in self.all()]}")
        return found[-1]

    def link_to(self, address: str) -> str:
        """Return the link that acts in the newest mail to *address*."""
        links = links_in(self.last_to(address))
        if len(links) != 1:
            raise LookupError(f"{len(links)} links that act in {self.last_to(address).get_content()}")
        return links[0]


def links_in(mail: EmailMessage) -> list[str]:
    """Return the links of a mail that do something when they are followed."""
    return re.findall(r"\S+/mail-link/\S+", mail.get_content())
