"""Merkle trees of RFC 6962: the root of a growing log, and proofs, made and checked."""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import Final

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()

SubtreeHash = Callable[[int, int], bytes]
"""Gives the hash of the perfect subtree over the leaves from ``place << level`` to ``(place + 1) << level``."""


class BadProof(ValueError):
    """A proof does not show what it is said to show; the message names the step."""


def leaf_hash(data: bytes) -> bytes:
    """
    Return the hash of a leaf.

    Source: RFC 6962 §2.1 (the zero in front keeps a leaf from passing for a node).
    """
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """
    Return the hash of the node above *left* and *right*.

    Source: RFC 6962 §2.1.
    """
    return sha256(b"\x01" + left + right).digest()


class CompactTree:
    """
    A tree that only grows, as the hashes of the perfect subtrees it is made of: at most one for each bit of its size.

    Args:
        size: how many leaves it has already.
        hashes: the hashes of the perfect subtrees of these leaves, the largest (leftmost) first.

    Raises:
        ValueError: there are more or fewer hashes than such a tree has subtrees.
    """

    __slots__ = ("_hashes", "size")

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if len(hashes) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} perfect subtrees, not {len(hashes)}")
        self.size = size
        self._hashes = list(hashes)

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The hashes of the perfect subtrees, the largest first."""
        return tuple(self._hashes)

    def append(self, leaf: bytes) -> None:
        """Add a leaf by its hash."""
        self._carry(0, leaf)

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add leaves by their hashes, in their order; of many it takes less time than one by one."""
        hashes, waiting, edge = list(leaves), self.size, []
        while hashes:  # one level of the tree after the other, as far up as what is added reaches
            if waiting & 1:
                hashes.insert(0, self._hashes.pop())
            if len(hashes) & 1:
                edge.append(hashes.pop())
            each = iter(hashes)
            hashes = [sha256(b"\x01" + left + right).digest() for left, right in zip(each, each, strict=True)]
            waiting >>= 1
        self._hashes += reversed(edge)
        self.size += len(leaves)

    def append_subtree(self, level: int, hashed: bytes) -> None:
        """
        Add the ``1 << level`` leaves of a perfect subtree by its hash.

        Raises:
            ValueError: such a subtree cannot begin where this tree ends.
        """
        if self.size & ((1 << level) - 1):
            raise ValueError(f"a subtree of {1 << level} leaves cannot begin at {self.size}")
        self._carry(level, hashed)

    def root(self) -> bytes:
        """
        Return the hash of the whole tree.

        Source: RFC 6962 §2.1.
        """
        return _folded(self._hashes)

    def _carry(self, level: int, hashed: bytes) -> None:
        """Add a subtree and merge those of equal size, as a carry runs through a sum."""
        waiting, hashes = self.size >> level, self._hashes
        while waiting & 1:
            hashed = sha256(b"\x01" + hashes.pop() + hashed).digest()
            waiting >>= 1
        hashes.append(hashed)
        self.size += 1 << level


def root_of(leaves: Sequence[bytes]) -> bytes:
    """
    Return the hash of the tree over all *leaves*, which are hashes already.

    Source: RFC 6962 §2.1.
    """
    tree = CompactTree()
    tree.extend(leaves)
    return tree.root()


def subtrees(first: int, end: int) -> Iterator[tuple[int, int]]:
    """
    Name the largest aligned perfect subtrees that cover the leaves from *first* up to *end*, left to right.

    Yields:
        The level of each and its place among those of its level.
    """
    while first < end:
        level = (end - first).bit_length() - 1
        if first:
            level = min(level, (first & -first).bit_length() - 1)
        yield level, first >> level
        first += 1 << level


def inclusion_proof(index: int, size: int, hash_of: SubtreeHash) -> list[bytes]:
    """
    Make the proof that leaf *index* is in the tree of *size* leaves, from the leaf's sibling upwards.

    Raises:
        ValueError: the tree has no such leaf.

    Source: RFC 6962 §2.1.1.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    return _path(index, index + 1, size, hash_of)[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """
    Make sure that *leaf*, a leaf's hash, is number *index* of the tree of *size* leaves whose hash is *root*.

    Raises:
        BadProof: it is not, or the proof does not show it.

    Source: RFC 9162 §2.1.3.2.
    """
    if not 0 <= index < size:
        raise BadProof(f"a tree of {size} leaves has no leaf {index}")
    node, last, hashed = index, size - 1, leaf
    for step, sibling in enumerate(proof, start=1):
        if len(sibling) != HASH_BYTES or last == 0:
            raise BadProof(f"step {step} of the proof of leaf {index} is not a hash of a tree of {size} leaves")
        if node & 1 or node == last:
            hashed = node_hash(sibling, hashed)
            while not node & 1:  # the right edge skips the levels where it has no sibling
                node, last = node >> 1, last >> 1
        else:
            hashed = node_hash(hashed, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise BadProof(f"the proof of leaf {index} ends after {len(proof)} steps, below the root")
    if hashed != root:
        raise BadProof(f"leaf {index} is not in the tree of {size} leaves with this root")


def consistency_proof(old: int, new: int, hash_of: SubtreeHash) -> list[bytes]:
    """
    Make the proof that the tree of *new* leaves begins with the tree of *old* leaves.

    Nothing has to be shown of an empty tree, nor of one that has not grown: the proof is empty.

    Raises:
        ValueError: the new tree is the smaller one.

    Source: RFC 6962 §2.1.2.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} leaves cannot have become one of {new}")
    if old in {0, new}:
        return []
    first = old - (old & -old)  # where the last perfect subtree of the old tree begins
    proof = _path(first, old, new, hash_of)[::-1]
    return proof if first == 0 else [_range_hash(first, old, hash_of), *proof]


def verify_consistency(old: tuple[int, bytes], new: tuple[int, bytes], proof: Sequence[bytes]) -> None:
    """
    Make sure that one tree begins with another: nothing of the old one was changed, removed or moved.

    Args:
        old: how many leaves the old tree has, and its root.
        new: the same of the new tree.
        proof: what `consistency_proof` made.

    Raises:
        BadProof: it does not, or the proof does not show it.

    Source: RFC 9162 §2.1.4.2.
    """
    (old_size, old_root), (new_size, new_root) = old, new
    if not 0 <= old_size <= new_size:
        raise BadProof(f"a tree of {old_size} leaves cannot have become one of {new_size}")
    if old_size in {0, new_size}:
        _expect_nothing_to_show(old, new, proof)
        return
    if not proof or any(len(each) != HASH_BYTES for each in proof):
        raise BadProof(f"the proof from {old_size} to {new_size} leaves holds something that is not a hash, or nothing")
    shown = _both_roots(old_size, new_size, [old_root, *proof] if old_size & (old_size - 1) == 0 else proof)
    if shown[0] != old_root:
        raise BadProof(f"what the proof shows does not begin with the tree of {old_size} leaves")
    if shown[1] != new_root:
        raise BadProof(f"what the proof shows is not the tree of {new_size} leaves")


def _both_roots(old_size: int, new_size: int, hashes: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Work out both roots from the first hash, a subtree that both trees have, and what stands beside the way up."""
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    before = after = hashes[0]
    for step, sibling in enumerate(hashes[1:], start=1):
        if last == 0:
            raise BadProof(f"the proof from {old_size} to {new_size} leaves goes on above the root, at step {step}")
        if node & 1 or node == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise BadProof(f"the proof from {old_size} to {new_size} leaves ends below the root")
    return before, after


def _expect_nothing_to_show(old: tuple[int, bytes], new: tuple[int, bytes], proof: Sequence[bytes]) -> None:
    if proof:
        raise BadProof(f"the proof from {old[0]} to {new[0]} leaves should be empty")
    if old[1] != (new[1] if old[0] else EMPTY_ROOT):
        raise BadProof(f"there are two roots of {old[0]} leaves")


def _path(first: int, end: int, size: int, hash_of: SubtreeHash) -> list[bytes]:
    """List the hashes beside the way down from the root to the subtree from *first* up to *end*."""
    proof, low, high = [], 0, size
    while (low, high) != (first, end):
        middle = low + _left_half(high - low)
        if first < middle:
            proof.append(_range_hash(middle, high, hash_of))
            high = middle
        else:
            proof.append(_range_hash(low, middle, hash_of))
            low = middle
    return proof


def _left_half(size: int) -> int:
    """Return the largest power of two below *size*, which is at least 2: that many leaves are left of the root."""
    return 1 << ((size - 1).bit_length() - 1)


def _range_hash(first: int, end: int, hash_of: SubtreeHash) -> bytes:
    return _folded([hash_of(level, place) for level, place in subtrees(first, end)])


def _folded(hashes: Sequence[bytes]) -> bytes:
    """Join the perfect subtrees of a tree, the largest first, from the right."""
    if not hashes:
        return EMPTY_ROOT
    hashed = hashes[-1]
    for left in hashes[-2::-1]:
        hashed = sha256(b"\x01" + left + hashed).digest()
    return hashed
