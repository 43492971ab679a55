"""What callers do with the people of their team, and what each address demands of their token."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from keybearer import Principal
from keybearer.fastapi import requires
from people_api.shapes import ChangedPerson, Id, NewPerson, PeoplePage, Person
from people_api.store import Store

# Every Keybearer's roles know these two permissions. Those of your own are named in its settings, then here.
Reader = Annotated[Principal, requires("clients:read")]
Writer = Annotated[Principal, requires("clients:write")]


def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


People = Annotated[Store, Depends(_store)]
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such person in the token's team."}}

router = APIRouter(
    prefix="/people",
    tags=["People"],
    responses={
        401: {"description": "There is no token, or it is not accepted."},
        403: {"description": "The token does not allow this."},
        429: {"description": "The rate limit is used up."},
        503: {"description": "The token cannot be checked at the moment."},
    },
)


@router.get("")
def list_people(
    reader: Reader,
    people: People,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    limit: Annotated[int, Query(ge=1, le=100)] = 25,
) -> PeoplePage:
    """List the people of the token's team, by name."""
    found, total = people.page(reader, limit, (page - 1) * limit)
    pages = max(1, -(-total // limit))
    return PeoplePage(data=found, total=total, count=len(found), limit=limit, current_page=page, total_pages=pages)


@router.post("", status_code=201)
def create_person(writer: Writer, people: People, person: NewPerson, response: Response) -> Person:
    """Add a person to the token's team."""
    added = people.add(writer, person)
    writer.record("person.created", person=added.id)
    response.headers["location"] = f"/people/{added.id}"
    return added


@router.get("/{person_id}", responses=NOT_FOUND)
def show_person(reader: Reader, people: People, person_id: Id) -> Person:
    """Show a person."""
    return _found(people.one(reader, person_id))


@router.patch("/{person_id}", responses=NOT_FOUND)
def update_person(writer: Writer, people: People, person_id: Id, change: ChangedPerson) -> Person:
    """Change what the body names."""
    changed = _found(people.change(writer, person_id, change))
    writer.record("person.changed", person=person_id)
    return changed


@router.delete("/{person_id}", status_code=204, responses=NOT_FOUND)
def delete_person(writer: Writer, people: People, person_id: Id) -> None:
    """Delete a person."""
    _found(people.delete(writer, person_id))
    writer.record("person.deleted", person=person_id)


def _found(person: Person | None) -> Person:
    """Return the person, or answer 404: also for a person of another team, so that nobody learns who is there."""
    if person is None:
        raise HTTPException(404, "There is no such person in this team.")
    return person
