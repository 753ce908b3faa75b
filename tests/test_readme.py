"""What the README shows runs, and its figures are those that were measured."""

import re
import tomllib

import numpy as np
import pytest
from places import ROOT

TEXT = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)


@pytest.mark.parametrize("number", range(len(blocks("python"))))
def test_python_blocks_run(number, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks("python")[number], f"README block {number}", "exec"), {})


def test_what_is_named_exists():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"(?:^|`)make (\w+)", TEXT, flags=re.MULTILINE))
    assert targets >= {"demo", "test"}
    assert all(f"\n{target}:" in makefile for target in targets)
    for module in re.findall(r"python -m benchmarks\.(\w+)", TEXT):
        assert list((ROOT / "benchmarks").glob(f"{module}*")), module
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = set(",".join(re.findall(r"\.\[([a-z,]+)\]", TEXT)).split(","))
    assert extras <= set(project["optional-dependencies"])


def cells(line):
    return [cell.strip(" *") for cell in line.strip("|\n").split("|")]


def test_the_figures_are_those_of_the_benchmark():
    page = (ROOT / "docs" / "regimes.md").read_text()
    table = page.partition("### Adjusted Rand index, K given")[2].partition("\n\n#")[0]
    measured = {(row[1], row[0]): row[2:] for row in map(cells, table.split("\n")) if len(row) > 2}
    header, _, *rows = TEXT[TEXT.index("| | offline") :].partition("\n\n")[0].split("\n")
    tasks = cells(header)[1:]

    def means(method):
        return [measured[method, task][-1] for task in tasks]

    def first_four(method):
        return [np.mean([float(x) for x in measured[method, task][:4]]) for task in tasks]

    shown = {name: figures for name, *figures in map(cells, rows)}
    ceiling = shown.pop("true model (ceiling), S1 to S4 only")
    assert len(shown) == 3
    assert shown == {method: means(method) for method in shown}
    assert [float(x) for x in ceiling] == pytest.approx(
        first_four("true model (ceiling)"), abs=0.01
    )
    prose = re.search(r"`regimetry` reaches ([\d.]+), ([\d.]+) and ([\d.]+)\.", TEXT).groups()
    assert [float(x) for x in prose] == pytest.approx(first_four("regimetry, default"), abs=0.01)
    statistics = re.search(r"them, reach ([\d.]+), ([\d.]+) and ([\d.]+)\.", TEXT).groups()
    assert list(statistics) == means("window statistics + head")
