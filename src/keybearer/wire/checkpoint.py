"""Checkpoints: a log's name, size and root as a signed note."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from keybearer.wire.merkle import HASH_BYTES

ED25519: Final = b"\x01"  # the signature type's identifier
KEY_BYTES: Final = 32
MAX_NOTE_CHARACTERS: Final = 64 * 1024
MAX_SIZE: Final = 2**53 - 1  # the largest whole number that JSON keeps everywhere
_MARK: Final = "\u2014 "

Sign = Callable[[bytes], bytes]
"""Signs a message with the log's own Ed25519 key: 64 bytes."""

IsSigned = Callable[[bytes, bytes, bytes], bool]
"""Tells whether a public key (32 bytes) made a signature of a message, given in this order."""


class BadNote(ValueError):
    """A note is malformed, is not signed by the key that is asked for, or is not a checkpoint: it is not believed."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """
    A public key under a name: what somebody who verifies holds on to.

    Args:
        name: the origin of the log that signs with it, or of the server above its logs.
        key: an Ed25519 public key, 32 bytes (RFC 8032).
    """

    name: str
    key: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes that stand before each of its signatures (C2SP signed-note, "Signatures")."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.key).digest()[:4]

    @property
    def text(self) -> str:
        """The key in one line, ``name+id+key``, as tools for transparency logs exchange it."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(ED25519 + self.key).decode()}"

    def is_above(self, origin: str) -> bool:
        """Tell whether the log *origin* is the one of this key's name, or one below it."""
        return origin == self.name or origin.startswith(self.name + "/")

    def named(self, origin: str) -> "VerifierKey":
        """
        Return this key as the log *origin* signs with it.

        One key signs all logs of a server, each under the log's own name; whoever holds the server's key
        ``example.com/activity`` holds that of each ``example.com/activity/…``.

        Raises:
            BadNote: the origin is not below this key's name.
        """
        if not self.is_above(origin):
            raise BadNote(f"the log {origin} is not one of {self.name}, whose key this is")
        return VerifierKey(origin, self.key)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """
    A log at one size.

    Args:
        origin: the log's name, a URL without its scheme.
        size: how many records it has.
        root: the hash of its tree, 32 bytes.
    """

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed (C2SP tlog-checkpoint, "Note text")."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def key_from(text: str) -> VerifierKey:
    """
    Read a key out of its one line.

    Raises:
        BadNote: it is not ``name+id+key`` of an Ed25519 key, or the id is not this key's.
    """
    parts = text.split("+", 2)  # base64 has pluses, a name and an id have none
    if len(parts) != 3 or not _is_name(parts[0]):
        raise BadNote("a key is written name+id+key")
    name, key_id, encoded = parts
    key = _decoded(encoded, "the key")
    if key[:1] != ED25519 or len(key) != 1 + KEY_BYTES:
        raise BadNote(f"the key of {name} is not an Ed25519 key")
    found = VerifierKey(name, key[1:])
    if found.key_id.hex() != key_id:
        raise BadNote(f"the key of {name} has the id {found.key_id.hex()}, not the one it is given with")
    return found


def signed(checkpoint: Checkpoint, key: VerifierKey, sign: Sign) -> str:
    """
    Write a checkpoint as a note with one signature.

    Args:
        key: the public half of the key that *sign* uses, named as the log.

    Raises:
        ValueError: the origin or the root could not be read back.

    Source: C2SP signed-note, "Format".
    """
    if not _is_name(checkpoint.origin) or len(checkpoint.root) != HASH_BYTES:
        raise ValueError("a checkpoint has an origin without spaces and plus signs, and a root of 32 bytes")
    text = checkpoint.text
    signature = base64.b64encode(key.key_id + sign(text.encode())).decode()
    return f"{text}\n{_MARK}{key.name} {signature}\n"


def opened(note: str, key: VerifierKey, is_signed: IsSigned) -> Checkpoint:
    """
    Read a checkpoint out of a note that *key* has signed; signatures by others, such as witnesses, are passed over.

    Raises:
        BadNote: the note is malformed, is not signed by this key, or carries a wrong signature in its name.

    Source: C2SP signed-note, "Signatures"; tlog-checkpoint, "Note text".
    """
    text, signatures = _taken_apart(note)
    mine = [rest for name, key_id, rest in signatures if (name, key_id) == (key.name, key.key_id)]
    if not mine:
        raise BadNote(f"the checkpoint is not signed by {key.name} with the key {key.key_id.hex()}")
    if not all(is_signed(key.key, signature, text.encode()) for signature in mine):
        raise BadNote(f"the checkpoint carries a signature that {key.name} did not make")
    return _checkpoint(text)


def origin_of(note: str) -> str:
    """
    Return which log a note speaks for, before anything of it is believed.

    Raises:
        BadNote: it has no first line that names one.
    """
    origin = note.split("\n", 1)[0]
    if not _is_name(origin):
        raise BadNote("the checkpoint does not begin with the name of a log")
    return origin


def _taken_apart(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Split a note into its text and its signatures: the name, the id and the signature of each."""
    if len(note) > MAX_NOTE_CHARACTERS or not note.replace("\n", "").isprintable():
        raise BadNote("the checkpoint is longer than a note can be, or has control characters")
    text, gap, lines = note.rpartition("\n\n")
    if not gap or not lines.endswith("\n"):
        raise BadNote("the checkpoint has no signature, or does not end with a line's end")
    return text + "\n", [_signature(line) for line in lines[:-1].split("\n")]


def _signature(line: str) -> tuple[str, bytes, bytes]:
    name, _, encoded = line.removeprefix(_MARK).partition(" ")
    if not line.startswith(_MARK) or not _is_name(name):
        raise BadNote("the checkpoint has a line among its signatures that is not one")
    signature = _decoded(encoded, f"the signature of {name}")
    if len(signature) < 5:
        raise BadNote(f"the signature of {name} is too short")
    return name, signature[:4], signature[4:]


def _checkpoint(text: str) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) != 4 or not _is_name(lines[0]):
        raise BadNote("the checkpoint does not have exactly three lines: a log's name, its size, its root")
    origin, size, root, _ = lines
    if not (size.isascii() and size.isdigit()) or str(int(size[:17])) != size or int(size) > MAX_SIZE:
        raise BadNote("the size in the checkpoint is not a whole number")
    hashed = _decoded(root, "the root in the checkpoint")
    if len(hashed) != HASH_BYTES:
        raise BadNote("the root in the checkpoint is not 32 bytes long")
    return Checkpoint(origin, int(size), hashed)


def _decoded(text: str, what: str) -> bytes:
    """Decode base64 that is written in the one canonical way."""
    try:
        decoded = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except ValueError as error:
        raise BadNote(f"{what} is not base64") from error
    if base64.b64encode(decoded).decode() != text:  # bits left over at the end would make two texts of one value
        raise BadNote(f"{what} is not base64 as it is written")
    return decoded


def _is_name(text: str) -> bool:
    return bool(text) and "+" not in text and text.isprintable() and not any(each.isspace() for each in text)
