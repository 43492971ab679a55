"""Chooses the node that a verifier asks: the one that answered last, and after a failure the next."""

from collections.abc import Sequence
from ipaddress import ip_address
from random import Random
from urllib.parse import SplitResult, urlsplit


class Nodes:
    """
    The addresses of a server's nodes.

    Args:
        urls: at least one, without a slash at the end.
        random: says which is the first, so that many verifiers do not all speak to one.
    """

    def __init__(self, urls: Sequence[str], random: Random) -> None:
        self._urls = tuple(urls)
        self._current = random.randrange(len(self._urls))

    def __len__(self) -> int:
        return len(self._urls)

    @property
    def url(self) -> str:
        """The address to speak to now."""
        return self._urls[self._current]

    def failed(self, url: str) -> None:
        """Go on to the next, unless somebody has gone on already."""
        if url == self.url:
            self._current = (self._current + 1) % len(self._urls)


def checked_urls(url: str | Sequence[str], *, is_insecure: bool) -> tuple[str, ...]:
    """
    Return the addresses of nodes without a slash at the end.

    Args:
        is_insecure: let plain HTTP through to others than this machine.

    Raises:
        ValueError: there is none, or one is malformed, or plain HTTP: whoever is on the way could read the key there,
            and say that an ended token is good.
    """
    if not url:  # as where a variable of the environment is not there
        raise ValueError("give at least one address of a Keybearer server, such as https://auth.example.com")
    urls = tuple(each.rstrip("/") for each in ([url] if isinstance(url, str) else url))
    for each in urls:
        parts = urlsplit(each)
        is_http = parts.scheme in {"https", "http"} and _has_good_port(parts)
        if not is_http or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"{each!r} is not the address of a Keybearer server, such as https://auth.example.com")
        if parts.scheme == "http" and not is_insecure and not _is_this_machine(parts.hostname):
            raise ValueError(f"{each!r} is plain HTTP: use https, or pass insecure=True if the network is your own")
    return urls


def _has_good_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
