"""What goes in and what comes out, as JSON."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

MOST_ID = 2**63 - 1

Id = Annotated[int, Field(ge=1, le=MOST_ID)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]


class NewPerson(BaseModel):
    """A person to be added; *assigned_to* is the user who looks after them."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    email: Email | None = None
    assigned_to: Id | None = None


class ChangedPerson(BaseModel):
    """What is to be changed of a person: what is not named stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: Name = ""
    email: Email | None = None
    assigned_to: Id | None = None

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("At least one property is required")
        return self


class User(BaseModel):
    """Who did it."""

    id: int
    name: str


class Person(BaseModel):
    """A person, and in whose name they were added and last changed."""

    object: Literal["person"] = "person"
    id: int
    name: str
    email: str | None
    assigned_to: int | None
    created_at: str
    created_by: User
    updated_at: str
    updated_by: User


class PeoplePage(BaseModel):
    """One page of a list."""

    object: Literal["paginated_list"] = "paginated_list"
    data: list[Person]
    total: int
    count: int
    limit: int
    current_page: int
    total_pages: int
