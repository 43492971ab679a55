"""The house's own lint: rules that no other linter has, each with its story; `make check` runs it."""

import ast
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import NamedTuple

ROOTS = ("src", "tests", "tools", "bench", "examples")
MIGRATIONS = "src/keybearer/server/store/migrations/versions"
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40
MAX_PARAMETERS = 5
UNCOUNTED_PARAMETERS = frozenset({"self", "cls", "tx", "reader"})

# Where everything must be caught: the last stop before an answer, an exit code or the next turn of a loop.
EDGES = frozenset(
    {
        "src/keybearer/cli/main.py",
        "src/keybearer/reporting/shipping.py",
        "src/keybearer/sdk/following.py",
        "src/keybearer/server/fault_log.py",
        "src/keybearer/server/http/edge.py",
        "src/keybearer/server/http/hits.py",
        "src/keybearer/server/store/grouping.py",
        "src/keybearer/server/store/listeners.py",
        "src/keybearer/server/store/postgres_transaction.py",
        "src/keybearer/server/webhooks/sender.py",
    }
)
READERS_OF_THE_ENVIRONMENT = frozenset(
    {
        "src/keybearer/cli/main.py",
        "src/keybearer/server/settings.py",
        "src/keybearer/server/settings_files.py",
    }
)
CLOCKS = frozenset({"src/keybearer/sdk/clocks.py", "src/keybearer/server/clock.py"})
CLOCK_CALLS = frozenset(
    {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
)

Function = ast.FunctionDef | ast.AsyncFunctionDef
Finding = tuple[int, str]


class Source(NamedTuple):
    """A file as the rules see it: its path from the repository's root, its text and its tree."""

    path: PurePosixPath
    text: str
    tree: ast.Module

    @property
    def is_product(self) -> bool:
        """Whether the file is shipped."""
        return self.path.parts[0] == "src"


def one_verb_one_file(source: Source) -> Iterator[Finding]:
    """The listing of actions/ is the table of contents: a second verb in a file is one that nobody finds."""
    if source.path.parent.name != "actions" or source.path.name == "__init__.py":
        return
    public = [node.name for node in source.tree.body if isinstance(node, Function) and not node.name.startswith("_")]
    if public != [source.path.stem]:
        yield 1, f"has the public functions {public}, not just {source.path.stem!r}"


def only_edges_catch_everything(source: Source) -> Iterator[Finding]:
    """A catch-all in the middle turns a bug into a wrong answer; at an edge it is logged and answered."""
    if not source.is_product or str(source.path) in EDGES:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler) and _catches_everything(node) and not _raises_again(node):
            yield node.lineno, "catches every exception outside an edge"


def functions_fit_one_look(source: Source) -> Iterator[Finding]:
    """What does not fit one look is not reviewed: admired code has functions of 5 to 10 lines."""
    if source.path.parts[0] == "tests" or "migrations" in source.path.parts:
        return
    for node in ast.walk(source.tree):
        if not isinstance(node, Function):
            continue
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > MAX_FUNCTION_LINES:
            yield node.lineno, f"{node.name} has {lines} lines; at most {MAX_FUNCTION_LINES}"
        counted = _parameters(node)
        if len(counted) > MAX_PARAMETERS and not _is_command(node):
            yield node.lineno, f"{node.name} has {len(counted)} parameters; at most {MAX_PARAMETERS}"


def files_stay_short(source: Source) -> Iterator[Finding]:
    """Monsters grow in wiring, defaults and pages, a line at a time; this is where they stop."""
    if "migrations" in source.path.parts:  # one row after the other
        return
    lines = source.text.count("\n")
    if lines > MAX_FILE_LINES:
        yield 1, f"has {lines} lines; at most {MAX_FILE_LINES}"


def the_environment_is_read_once(source: Source) -> Iterator[Finding]:
    """A setting read where it is used is in no list, has no check, and differs between two tests."""
    if not source.is_product or str(source.path) in READERS_OF_THE_ENVIRONMENT:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv", "os.environb"}:
            yield node.lineno, "reads the environment; take a setting as an argument"
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            for name in {alias.name for alias in node.names} & {"environ", "getenv", "environb"}:
                yield node.lineno, f"imports {name}; take a setting as an argument"


def one_clock(source: Source) -> Iterator[Finding]:
    """The end of a token's life is tested by moving a clock: a second clock makes such a test lie."""
    if not source.is_product or str(source.path) in CLOCKS:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and _last_two(node) in CLOCK_CALLS:
            yield node.lineno, f"{_last_two(node)} is read; take `now` as an argument"
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            for name in {alias.name for alias in node.names} & {"time", "time_ns"}:
                yield node.lineno, f"imports time.{name}; take `now` as an argument"


RULES: tuple[Callable[[Source], Iterator[Finding]], ...] = (
    one_verb_one_file,
    only_edges_catch_everything,
    functions_fit_one_look,
    files_stay_short,
    the_environment_is_read_once,
    one_clock,
)


def findings(path: PurePosixPath, text: str) -> list[str]:
    """
    List what the rules find in one file.

    Args:
        path: the file's place, from the repository's root.
        text: what is in it.

    Returns:
        One line for each finding: place, rule, what is wrong, and why the rule is there.
    """
    source = Source(path, text, ast.parse(text))
    return [
        f"{path}:{line}: [{rule.__name__}] {problem}. Why: {rule.__doc__}"
        for rule in RULES
        for line, problem in rule(source)
    ]


def numbers_taken_twice(names: Iterable[str]) -> list[str]:
    """
    List the migrations whose number is another's, too.

    Two branches that each add the next one merge without a conflict, and then no database can be brought up to date.

    Args:
        names: their files', each of which begins with its four digits.
    """
    numbered = sorted(names)
    return [
        f"{MIGRATIONS}/{after}:1: has the number of {before}: give it the next one"
        for before, after in pairwise(numbered)
        if before[:4] == after[:4]
    ]


def main(root: Path) -> int:
    """Print every finding below *root*; 1 if there is one, else 0."""
    found = numbers_taken_twice(file.name for file in (root / MIGRATIONS).glob("[0-9]*.py"))
    found += [
        finding
        for folder in ROOTS
        for file in sorted((root / folder).rglob("*.py"))
        for finding in findings(PurePosixPath(file.relative_to(root).as_posix()), file.read_text("utf-8"))
    ]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


def _is_command(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell whether the parameters are the options that somebody types."""
    return any(ast.unparse(each).endswith(".command()") for each in node.decorator_list)


def _catches_everything(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(ast.unparse(one) in {"Exception", "BaseException"} for one in caught)


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _parameters(function: Function) -> list[str]:
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [one.arg for one in every if one.arg not in UNCOUNTED_PARAMETERS]


def _last_two(node: ast.Attribute) -> str:
    return ".".join(ast.unparse(node).split(".")[-2:])


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
