"""How far a token is narrowed below its user's role."""


def narrowing_of(scope: str, names: frozenset[str]) -> tuple[str, str] | frozenset[str]:
    """
    Read a ``scope``: ``("none", "")`` for an empty one, ``("scope", "a b")`` sorted, or the set of unknown words.

    Absent and empty mean "follows my role": a word of its own, never an empty list.

    Source: RFC 6749 §3.3; the reference's clients that send an empty ``scope=``.
    """
    words = frozenset(scope.split(" ")) - {""}
    if unknown := words - names:
        return unknown
    return ("scope", " ".join(sorted(words))) if words else ("none", "")
