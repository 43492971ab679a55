"""The texts that pages are made of, read whole at the start."""

from importlib import resources

from jinja2 import DictLoader


def texts_in(folder: str) -> DictLoader:
    """
    Return the loader of the templates in a folder of this package.

    They are in memory from here on: an upgrade that replaces the files under a running server would have it mix pages
    of two versions, or find none.
    """
    files = resources.files("keybearer.server.pages").joinpath(folder).iterdir()
    return DictLoader({file.name: file.read_text("utf-8") for file in files if file.is_file()})
