"""A tree in tiles comes out the same by whatever steps it grows, across tiles of every level."""

from hashlib import sha256
from itertools import pairwise

from keybearer.wire.merkle import root_of
from keybearer.wire.tiles import WIDTH, TiledTree

SIZE = 66_000  # two tiles of the second level, and one hash on the third


def test_by_whatever_steps_a_tree_grows_its_tiles_are_the_same() -> None:
    leaves = [sha256(b"%d" % n).digest() for n in range(SIZE)]
    tree, start = TiledTree(0, {}), 0
    for step in (1, 255, 1, 300, 0, 65_000, 443):
        tree.extend(leaves[start : start + step])
        start += step
    assert (start, tree.size) == (SIZE, SIZE)
    levels = [leaves, *[[] for _ in range(2)]]
    for below, level in pairwise(levels):
        full = range(0, len(below) - WIDTH + 1, WIDTH)
        level += [root_of(below[first : first + WIDTH]) for first in full]
    expected = {
        (number, first // WIDTH): b"".join(level[first : first + WIDTH])
        for number, level in enumerate(levels)
        for first in range(0, len(level), WIDTH)
    }
    assert tree.changed == expected
    assert tree.root == root_of(leaves)
    again = TiledTree(SIZE - 443, {tile: expected[tile] for tile in ((0, 256), (1, 0), (1, 1), (2, 0))})
    again.extend(leaves[SIZE - 443 :])
    assert again.root == tree.root
