"""A page of a list: which one is asked for, and what is on it."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Paging:
    """Which part of a list is wanted; pages count from 1."""

    page: int
    limit: int

    @property
    def offset(self) -> int:
        """How many items come before the page."""
        return (self.page - 1) * self.limit


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page's items, and how many there are on all pages."""

    items: list[T]
    total: int
