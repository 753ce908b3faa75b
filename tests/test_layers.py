"""Imports inside the package go one way: every part stands on those below it alone."""

import ast
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter

import pytest
from places import ROOT

PACKAGE = ROOT / "regimetry"

FLOORS = (
    ("_core", "errors", "files", "markup", "parameters"),
    ("series",),
    ("windows",),
    ("contract",),
    ("runtime",),
    ("analysis",),
    ("encoder",),
    ("regimes",),
    ("report", "serve"),
    ("check",),
    ("export", "mlflow"),
    ("fit",),
    ("detector",),
    ("backtest",),
    ("configuration",),
    ("scale",),
    ("search",),
    ("cli",),
)
"""From the ground up; what shares a floor may not know each other, but for the ground itself."""

FLOOR_OF = {part: number for number, floor in enumerate(FLOORS) for part in floor}
ROOT = {"__init__", "__main__"}  # the door, which resolves names of every floor


def modules(package):
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts), path


def imports_of(package):
    """From each module to the modules of the package that it imports, anywhere in its text."""
    known = dict(modules(package))
    found = defaultdict(set)
    for name, path in known.items():
        for node in ast.walk(ast.parse(path.read_text())):
            targets = []
            if isinstance(node, ast.Import):
                targets = [entry.name for entry in node.names]
            elif isinstance(node, ast.ImportFrom):
                targets = [f"{node.module}.{entry.name}" for entry in node.names]
            for target in targets:
                head, _, rest = target.partition(".")
                if head != "regimetry" or not rest:
                    continue
                while rest not in known and "." in rest:
                    rest = rest.rpartition(".")[0]
                found[name].add(rest)
        found[name].discard(name)
    return found


def part(module):
    return module.partition(".")[0]


def upward(found):
    """Return the imports that go up, or across a floor above the ground."""
    return sorted(
        f"{name} imports {target}"
        for name, targets in found.items()
        for target in targets
        if part(name) not in ROOT
        and part(name) != part(target)
        and FLOOR_OF[part(target)] >= max(FLOOR_OF[part(name)], 1)
    )


def test_every_part_has_a_floor():
    assert {part(name) for name, _ in modules(PACKAGE)} - ROOT <= set(FLOOR_OF)


def test_imports_go_down():
    found = imports_of(PACKAGE)
    assert len(found) > 200  # of the modules, so that an empty walk does not pass
    assert upward(found) == []


def test_no_circle_between_modules():
    found = imports_of(PACKAGE)
    # A package's own entry names its modules; those do not stand on the entry.
    graph = {
        name: {target for target in targets if not name.startswith(f"{target}.")}
        for name, targets in found.items()
        if name not in ROOT
    }
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize(
    "line",
    ["from regimetry.cli import main", "def late():\n    import regimetry.detector"],
    ids=["at the top", "in a function"],
)
def test_an_import_that_goes_up_is_found(tmp_path, line):
    (tmp_path / "series").mkdir()
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "__init__.py").write_text("main = print\n")
    (tmp_path / "detector.py").write_text("")
    (tmp_path / "series" / "frames.py").write_text(line + "\n")
    assert len(upward(imports_of(tmp_path))) == 1


def test_a_circle_is_found():
    with pytest.raises(CycleError):
        TopologicalSorter({"fit.rows": {"fit.learn"}, "fit.learn": {"fit.rows"}}).prepare()
