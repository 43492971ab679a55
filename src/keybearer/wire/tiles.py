"""A log's tree in tiles of 256 hashes, from which proofs are made (C2SP tlog-tiles)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from keybearer.wire.merkle import HASH_BYTES, CompactTree, SubtreeHash, root_of

HEIGHT: Final = 8  # levels of the tree in one tile
WIDTH: Final = 1 << HEIGHT  # hashes in a full tile
LEVELS: Final = 5  # 256^5 records are more than there will be

Tile = tuple[int, int]
"""A tile's level and its place on that level, both from 0."""


class DamagedTiles(ValueError):
    """A tile is not there, or shorter than the tree's size says."""


class TiledTree:
    """
    A tree that grows, as the tiles at its right edge.

    Args:
        size: how many leaves it has.
        tiles: those that `right_tiles` names, by level and place.

    Raises:
        DamagedTiles: one of them lacks hashes.
    """

    def __init__(self, size: int, tiles: Mapping[Tile, bytes]) -> None:
        self.size = size
        self._edge = [
            _EdgeTile(_hashes(tiles, tile, size >> HEIGHT * tile[0] & WIDTH - 1)) for tile in right_tiles(size)
        ]
        self._changed: dict[Tile, list[bytes]] = {}

    @property
    def root(self) -> bytes:
        """The hash of the whole tree."""
        return CompactTree(self.size, [hashed for tile in reversed(self._edge) for hashed in tile.tree.hashes]).root()

    @property
    def changed(self) -> dict[Tile, bytes]:
        """The tiles that have grown, whole."""
        return {tile: b"".join(hashes) for tile, hashes in self._changed.items()}

    def append(self, leaf: bytes) -> None:
        """Add a leaf by its hash."""
        self.extend([leaf])

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add leaves by their hashes, in their order; of many it takes less time than one by one."""
        level, count, hashes = 0, self.size, leaves
        while hashes:
            hashes = self._filled(level, count, hashes)
            level, count = level + 1, count >> HEIGHT
        self.size += len(leaves)

    def _filled(self, level: int, count: int, hashes: Sequence[bytes]) -> list[bytes]:
        """Add hashes to a level that has *count* of them, and return the roots of the tiles that are full now."""
        roots, start = [], 0
        while start < len(hashes):
            tile = self._edge[level]
            some = hashes[start : start + WIDTH - tile.tree.size]
            tile.extend(some)
            self._changed[level, count + start >> HEIGHT] = tile.hashes
            start += len(some)
            if tile.tree.size == WIDTH:
                self._edge[level] = _EdgeTile([])
                roots.append(tile.tree.root())
        return roots


class _EdgeTile:
    """The last tile of a level, and the tree over the hashes in it: each hash is made once."""

    __slots__ = ("hashes", "tree")

    def __init__(self, hashes: list[bytes]) -> None:
        self.hashes = hashes
        self.tree = CompactTree()
        self.tree.extend(hashes)

    def extend(self, hashes: Sequence[bytes]) -> None:
        self.hashes += hashes
        self.tree.extend(hashes)


def right_tiles(size: int) -> list[Tile]:
    """Name the tiles at the right edge of a tree of this size, one for each level; those of an even size are empty."""
    return [(level, size >> HEIGHT * (level + 1)) for level in range(LEVELS)]


def tiles_for(make: Callable[[SubtreeHash], object]) -> set[Tile]:
    """
    Name the tiles that it takes to make a proof.

    Args:
        make: makes it, out of a function that gives any subtree's hash.
    """
    asked: set[Tile] = set()

    def note(level: int, place: int) -> bytes:
        asked.add(_place_in_tile(level, place)[0])
        return bytes(HASH_BYTES)

    make(note)
    return asked


def hashes_in(tiles: Mapping[Tile, bytes]) -> SubtreeHash:
    """Return the function that gives a subtree's hash out of tiles; it raises `DamagedTiles` where one is short."""

    def hash_of(level: int, place: int) -> bytes:
        tile, first, count = _place_in_tile(level, place)
        return root_of(_hashes(tiles, tile, first + count, first))

    return hash_of


def leaves_in(tile: bytes) -> list[bytes]:
    """Take a tile apart into its hashes."""
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


def _place_in_tile(level: int, place: int) -> tuple[Tile, int, int]:
    """Return which tile a subtree is in, at which of its hashes it begins, and how many of them are below it."""
    tile_level, above = divmod(level, HEIGHT)
    first = place << above
    return (tile_level, first >> HEIGHT), first & WIDTH - 1, 1 << above


def _hashes(tiles: Mapping[Tile, bytes], tile: Tile, end: int, first: int = 0) -> list[bytes]:
    hashes = leaves_in(tiles.get(tile, b"")[first * HASH_BYTES : end * HASH_BYTES])
    if len(hashes) < end - first or (hashes and len(hashes[-1]) < HASH_BYTES):
        raise DamagedTiles(
            f"the tile at level {tile[0]}, place {tile[1]}, does not have the {end} hashes that it should"
        )
    return hashes
