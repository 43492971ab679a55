"""What a verification trusts: public keys, and checkpoints that were saved before."""

from collections.abc import Iterable, Iterator, Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from keybearer.audit.lines import LogLine
from keybearer.wire.checkpoint import BadNote, Checkpoint, VerifierKey, key_from, opened, origin_of


class Trust:
    """
    Keys and checkpoints that came from elsewhere than the export.

    Args:
        keys: the public keys of servers or of single logs.
        notes: checkpoints that were saved before, signed with one of these keys.

    Raises:
        BadNote: one of the notes is not a checkpoint, or is not signed with such a key.
    """

    def __init__(self, keys: Sequence[VerifierKey], notes: Iterable[str] = ()) -> None:
        self._keys = keys
        self._saved = [self._opened(note) for note in notes]

    @property
    def logs(self) -> set[str]:
        """The origins of the logs of which a checkpoint was saved."""
        return {checkpoint.origin for checkpoint in self._saved}

    def saved_of(self, origin: str) -> list[Checkpoint]:
        """Return the saved checkpoints of one log, by their size."""
        return sorted((each for each in self._saved if each.origin == origin), key=lambda each: each.size)

    def checkpoint(self, line: LogLine) -> Checkpoint:
        """
        Return the checkpoint with which an export opens a log.

        Raises:
            BadNote: it is not signed with one of the keys, or not in this log's name.
        """
        key = key_from(line.key)
        if key not in self._named(line.origin):
            if same := next((held for held in self._keys if held.key == key.key), None):
                raise BadNote(
                    f"the log is signed with a key that you did not give for its name, but for {same.name}; if the "
                    "server had another issuer then, give what 'keybearer activity key' prints with that one, too"
                )
            raise BadNote("the log is signed with a key that you did not give, or that is not one of its server")
        checkpoint = opened(line.note, key, is_signed)
        if checkpoint.origin != line.origin:
            raise BadNote(f"the checkpoint is that of another log, {checkpoint.origin}")
        return checkpoint

    def _opened(self, note: str) -> Checkpoint:
        origin = origin_of(note)
        trouble = BadNote(f"the saved checkpoint is of {origin}, and you gave no key of its server")
        for key in self._named(origin):
            try:
                return opened(note, key, is_signed)
            except BadNote as error:
                trouble = error
        raise trouble

    def _named(self, origin: str) -> Iterator[VerifierKey]:
        for key in self._keys:
            if key.is_above(origin):
                yield key.named(origin)


def is_signed(key: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether an Ed25519 public key made a signature of a message."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
