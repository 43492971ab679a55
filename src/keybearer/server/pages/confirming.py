"""The question that stands before every end, and whether it was answered."""

from keybearer.server.http.forms import Form


def is_confirmed(form: Form, *others: str) -> bool:
    """
    Tell whether the person has pressed the button below the question; without that, they are asked.

    Args:
        others: the fields that the form may have beside ``confirm``.

    Raises:
        Refusal: ``invalid``: it has more; ``invalid_request``: ``confirm`` is repeated.
    """
    form.demand_only("confirm", *others)
    return form.maybe("confirm") == "yes"
