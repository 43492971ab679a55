"""One log while its lines are read: each record is given its place, and the tree grows by it."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from keybearer.audit.batches import Batch
from keybearer.audit.lines import RecordLine, SkipLine
from keybearer.audit.verdict import LogVerdict
from keybearer.wire.checkpoint import Checkpoint
from keybearer.wire.merkle import CompactTree, subtrees

_TEAM: Final = re.compile("/team/([1-9][0-9]{0,15})/")  # in the name of a team's log


class Wrong(Exception):
    """
    Something is wrong with a log.

    Args:
        what: a sentence without a full stop.
        index: the record with which it begins; None where it is the checkpoint that does not fit.
    """

    def __init__(self, what: str, index: int | None = None) -> None:
        super().__init__(what)
        self.index = index


class LogReading:
    """
    Holds what is read against the log's checkpoint, and against those that were saved before.

    Args:
        checkpoint: what the log says of itself, its signature verified.
        saved: other checkpoints of the log, by their size.
    """

    def __init__(self, checkpoint: Checkpoint, saved: Sequence[Checkpoint]) -> None:
        self.verdict = LogVerdict(checkpoint.origin, checkpoint.size, checkpoint.root)
        team = _TEAM.search(checkpoint.origin)
        self._team = int(team[1]) if team else None
        self._tree = CompactTree()
        self._due = [each for each in reversed(saved) if each.size]  # the next one last; an empty tree is any log's

    @property
    def expected(self) -> int | None:
        """The index of the record that is read next; None when there is none left that the checkpoint speaks for."""
        return self._tree.size if self._tree.size < self.verdict.size else None

    def take(self, line: RecordLine | SkipLine) -> None:
        """
        Take the next line.

        Raises:
            Wrong: it does not stand in its place, or a checkpoint does not fit.
        """
        if isinstance(line, SkipLine):
            self._skip(line)
            return
        if self._team and line.team not in {None, self._team}:
            raise Wrong(f"the record is of team {line.team}, and the log of team {self._team}", self.expected)
        if line.index is None:
            if self.expected is not None:
                raise Wrong("a record without an index stands here before the end", self.expected)
            self.verdict.unsigned += 1
        else:
            self._expect(line.index, line.index + 1)
            self._grow([line.leaf], {line.index: line.erased} if line.erased else {})
            self._reach_saved()

    def take_batch(self, batch: Batch) -> bool:
        """
        Take many records, if they are the next ones and nothing has to be looked at in between.

        Returns:
            False if they were not taken, and have to be taken one by one.
        """
        end = batch.first + len(batch.leaves)
        if batch.first != self._tree.size or end > self.verdict.size or (self._due and self._due[-1].size <= end):
            return False
        if self._team and not batch.teams <= {None, self._team}:
            return False
        self._grow(batch.leaves, batch.erased)
        return True

    def close(self) -> None:
        """
        Make sure, after the last line, that all was there and leads to the checkpoint.

        Raises:
            Wrong: it was not, or does not.
        """
        if self.expected is not None:
            raise Wrong(f"the log ends here, and its checkpoint speaks for {self.verdict.size} records", self.expected)
        if self._due and self._due[-1].size <= self.verdict.size:
            raise Wrong(
                f"it cannot be seen whether the log goes on from the saved checkpoint of {self._due[-1].size} records, "
                "which ends among records left out; make the export with that checkpoint"
            )
        if self._tree.root() != self.verdict.root:
            raise Wrong(
                f"the records are not those that the checkpoint of {self.verdict.size} records stands for{self._since}"
            )
        if self._due:
            raise Wrong(
                f"the log has {self.verdict.size} records, and had {self._due[0].size} when a checkpoint was saved"
            )

    @property
    def _since(self) -> str:
        """Where to look when the records do not lead to a root: before it all was well."""
        return f", from record {self.verdict.kept[-1]} on" if self.verdict.kept else ""

    def _expect(self, first: int, end: int) -> None:
        if first != self._tree.size:
            raise Wrong(f"record {first} stands where record {self._tree.size} belongs", self.expected)
        if end > self.verdict.size:
            raise Wrong(f"record {end - 1} is beyond the checkpoint of {self.verdict.size} records")

    def _skip(self, line: SkipLine) -> None:
        self._expect(line.first, line.end)
        places = list(subtrees(line.first, line.end))
        if line.end <= line.first or len(places) != len(line.hashes):
            raise Wrong(f"the records left out are not {len(line.hashes)} parts of the tree", self.expected)
        for (level, _), hashed in zip(places, line.hashes, strict=True):
            self._tree.append_subtree(level, hashed)
            self._reach_saved()
        self.verdict.skipped += line.end - line.first

    def _grow(self, leaves: Sequence[bytes], erased: Mapping[int, tuple[str, ...]]) -> None:
        self._tree.extend(leaves)
        self.verdict.records += len(leaves)
        self.verdict.erased.update(erased)

    def _reach_saved(self) -> None:
        """Hold the tree against the checkpoints that were saved at this size."""
        while self._due and self._due[-1].size == self._tree.size:
            saved = self._due.pop()
            if saved.root != self._tree.root():
                raise Wrong(
                    f"the first {saved.size} records are not those that the saved checkpoint stands for{self._since}"
                )
            self.verdict.kept.append(saved.size)
