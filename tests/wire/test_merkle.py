import random
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from itertools import pairwise

import pytest

from keybearer.wire import merkle

# The leaves and roots that Certificate Transparency's own tests use for RFC 6962.
VECTOR_LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
VECTOR_ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
VECTOR_PATH_OF_THE_FIRST = (
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
)
VECTOR_FROM_SIX = (
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
)
MOST = 300


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """Say RFC 6962 §2.1 as it is written there."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = next(power for power in (1 << n for n in range(64)) if power < len(leaves) <= 2 * power)
    return sha256(b"\x01" + naive_root(leaves[:half]) + naive_root(leaves[half:])).digest()


def naive_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Say RFC 6962 §2.1.1 as it is written there."""
    if len(leaves) == 1:
        return []
    half = next(power for power in (1 << n for n in range(64)) if power < len(leaves) <= 2 * power)
    if index < half:
        return [*naive_path(index, leaves[:half]), naive_root(leaves[half:])]
    return [*naive_path(index - half, leaves[half:]), naive_root(leaves[:half])]


def naive_subproof(old: int, leaves: Sequence[bytes], is_known: bool) -> list[bytes]:
    """Say RFC 6962 §2.1.2 as it is written there."""
    if old == len(leaves):
        return [] if is_known else [naive_root(leaves)]
    half = next(power for power in (1 << n for n in range(64)) if power < len(leaves) <= 2 * power)
    if old <= half:
        return [*naive_subproof(old, leaves[:half], is_known), naive_root(leaves[half:])]
    return [*naive_subproof(old - half, leaves[half:], is_known=False), naive_root(leaves[:half])]


def leaves_of(count: int) -> list[bytes]:
    return [merkle.leaf_hash(b"%d" % number) for number in range(count)]


def hashes_of(leaves: Sequence[bytes]) -> Callable[[int, int], bytes]:
    """Keep every perfect subtree's hash by its level and place."""
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([merkle.node_hash(below[n], below[n + 1]) for n in range(0, len(below) - 1, 2)])
    return lambda level, place: levels[level][place]


LEAVES = leaves_of(MOST)
HASH_OF = hashes_of(LEAVES)
ROOTS = [naive_root(LEAVES[:size]) for size in range(MOST + 1)]


def test_the_roots_are_those_of_certificate_transparency() -> None:
    leaves = [merkle.leaf_hash(leaf) for leaf in VECTOR_LEAVES]
    assert [merkle.root_of(leaves[:size]).hex() for size in range(1, 9)] == list(VECTOR_ROOTS)
    assert merkle.root_of([]) == sha256(b"").digest()


def test_the_proofs_are_those_of_certificate_transparency() -> None:
    hash_of = hashes_of([merkle.leaf_hash(leaf) for leaf in VECTOR_LEAVES])
    assert [each.hex() for each in merkle.inclusion_proof(0, 8, hash_of)] == list(VECTOR_PATH_OF_THE_FIRST)
    assert [each.hex() for each in merkle.consistency_proof(1, 8, hash_of)] == list(VECTOR_PATH_OF_THE_FIRST)
    assert [each.hex() for each in merkle.consistency_proof(6, 8, hash_of)] == list(VECTOR_FROM_SIX)


def test_a_growing_tree_has_the_root_of_the_definition_at_every_size() -> None:
    tree = merkle.CompactTree()
    for size, leaf in enumerate(LEAVES):
        assert (tree.size, tree.root()) == (size, ROOTS[size])
        tree.append(leaf)
    assert tree.root() == ROOTS[MOST]


def test_random_trees_put_together_from_subtrees_have_the_root_of_the_definition() -> None:
    chance = random.Random(6962)  # noqa: S311 - the same trees each time
    for _ in range(300):
        size = chance.randint(1, MOST)
        cuts = sorted({0, size, *(chance.randint(0, size) for _ in range(chance.randint(0, 6)))})
        tree = merkle.CompactTree()
        for first, end in pairwise(cuts):
            for level, place in merkle.subtrees(first, end):
                tree.append_subtree(level, HASH_OF(level, place))
        assert (tree.size, tree.root()) == (size, ROOTS[size])
        again = merkle.CompactTree(tree.size, tree.hashes)
        assert again.root() == ROOTS[size]


def test_subtrees_cover_their_range_once_and_none_could_be_larger() -> None:
    for first in range(70):
        for end in range(first, 70):
            found = list(merkle.subtrees(first, end))
            assert [n for level, place in found for n in range(place << level, (place + 1) << level)] == [
                *range(first, end)
            ]
            for (level, place), (next_level, next_place) in pairwise(found):
                is_pair = level == next_level and place % 2 == 0 and next_place == place + 1
                assert not is_pair, "two neighbours could be one"


def test_a_subtree_is_refused_where_it_cannot_begin() -> None:
    tree = merkle.CompactTree(1, [LEAVES[0]])
    with pytest.raises(ValueError, match="a subtree of 2 leaves cannot begin at 1"):
        tree.append_subtree(1, HASH_OF(1, 0))
    with pytest.raises(ValueError, match="a tree of 3 leaves has 2 perfect subtrees, not 1"):
        merkle.CompactTree(3, [LEAVES[0]])


def test_every_leaf_of_every_tree_is_proved_by_the_path_of_the_definition() -> None:
    for size in range(1, MOST + 1):
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, HASH_OF)
            merkle.verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])
    for size in range(1, 40):
        for index in range(size):
            assert merkle.inclusion_proof(index, size, HASH_OF) == naive_path(index, LEAVES[:size])


def test_every_tree_is_proved_to_begin_with_every_smaller_one() -> None:
    for new in range(MOST + 1):
        for old in range(new + 1):
            proof = merkle.consistency_proof(old, new, HASH_OF)
            merkle.verify_consistency((old, ROOTS[old]), (new, ROOTS[new]), proof)
    for new in range(1, 40):
        for old in range(1, new + 1):
            assert merkle.consistency_proof(old, new, HASH_OF) == naive_subproof(old, LEAVES[:new], is_known=True)


def damaged(proof: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Give each way in which a proof can be wrong at one place."""
    for place in range(len(proof)):
        yield [*proof[:place], bytes(32), *proof[place + 1 :]]
        yield [*proof[:place], *proof[place + 1 :]]
        yield [*proof[:place], proof[place][:31], *proof[place + 1 :]]
        yield [*proof[:place], proof[place], *proof[place:]]
    yield [*proof, bytes(32)]
    if len(set(proof)) > 1:
        yield list(reversed(proof))


def test_an_inclusion_proof_that_is_wrong_anywhere_proves_nothing() -> None:
    for size in (1, 2, 3, 7, 8, 21):
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, HASH_OF)
            for wrong in damaged(proof):
                with pytest.raises(merkle.BadProof):
                    merkle.verify_inclusion(LEAVES[index], index, size, wrong, ROOTS[size])
            for other in range(-1, size + 1):
                if other != index:
                    with pytest.raises(merkle.BadProof):
                        merkle.verify_inclusion(LEAVES[index], other, size, proof, ROOTS[size])
            with pytest.raises(merkle.BadProof, match=f"leaf {index} is not in the tree of {size} leaves"):
                merkle.verify_inclusion(LEAVES[index + 1], index, size, proof, ROOTS[size])


def test_a_consistency_proof_that_is_wrong_anywhere_proves_nothing() -> None:
    for new in (1, 2, 3, 7, 8, 21):
        for old in range(1, new + 1):
            proof = merkle.consistency_proof(old, new, HASH_OF)
            for wrong in damaged(proof):
                with pytest.raises(merkle.BadProof):
                    merkle.verify_consistency((old, ROOTS[old]), (new, ROOTS[new]), wrong)
            with pytest.raises(merkle.BadProof):
                merkle.verify_consistency((old, ROOTS[old + 1]), (new, ROOTS[new]), proof)
            with pytest.raises(merkle.BadProof):
                merkle.verify_consistency((old, ROOTS[old]), (new, ROOTS[new + 1]), proof)


def test_nothing_is_shown_of_a_tree_that_shrank_or_of_an_empty_one_with_a_root() -> None:
    with pytest.raises(merkle.BadProof, match="a tree of 5 leaves cannot have become one of 4"):
        merkle.verify_consistency((5, ROOTS[5]), (4, ROOTS[4]), [])
    with pytest.raises(merkle.BadProof, match="there are two roots of 0 leaves"):
        merkle.verify_consistency((0, ROOTS[1]), (4, ROOTS[4]), [])
    with pytest.raises(merkle.BadProof, match="there are two roots of 4 leaves"):
        merkle.verify_consistency((4, ROOTS[5]), (4, ROOTS[4]), [])
    with pytest.raises(merkle.BadProof, match="should be empty"):
        merkle.verify_consistency((0, ROOTS[0]), (4, ROOTS[4]), [ROOTS[4]])
    with pytest.raises(ValueError, match="a tree of 4 leaves has no leaf 4"):
        merkle.inclusion_proof(4, 4, HASH_OF)
    with pytest.raises(ValueError, match="a tree of 5 leaves cannot have become one of 4"):
        merkle.consistency_proof(5, 4, HASH_OF)
