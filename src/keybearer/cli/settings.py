"""x."""


def settings() -> None:
    pass
