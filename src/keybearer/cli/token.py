"""x."""

import typer

app = typer.Typer(help="x", rich_markup_mode=None, pretty_exceptions_enable=False)
