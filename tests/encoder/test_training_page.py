"""What docs/training.md shows runs."""

import re
from pathlib import Path

import pytest

from regimetry.encoder.objectives import OBJECTIVES

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_python_blocks_run(number, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(BLOCKS[number], "docs/training.md", "exec"), {})


def test_every_objective_is_described():
    assert BLOCKS
    for name in OBJECTIVES:
        assert f"| `{name}` |" in PAGE
        assert f"**`{name}`.**" in PAGE
