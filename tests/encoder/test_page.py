"""What docs/encoder.md shows is so."""

import re
from pathlib import Path

import pytest

from regimetry.encoder import EncoderConfig, build_encoder, registry

PAGE = Path(__file__).parents[2] / "docs" / "encoder.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_python_blocks_run(number):
    try:
        exec(compile(BLOCKS[number], f"docs/encoder.md block {number}", "exec"), {})
    finally:
        registry.POOLINGS.pop("ends", None)


def test_the_tests_that_it_names_exist():
    for target in re.findall(r"`((?:tests|docs)/[\w/]+\.py)`", PAGE.read_text()):
        assert (PAGE.parents[1] / target).exists(), target


def test_the_table_of_parameters_is_right():
    rows = re.findall(r"\| (\d+) \| ([\d ]+) \| .*?([\d ]+) \|\n", PAGE.read_text())
    assert [int(features) for features, *_ in rows] == [64, 80]
    for features, parameters, block in rows:
        count = build_encoder(EncoderConfig(num_features=int(features))).count_params()
        # Attention 4 D H S + 3 H S + D, two normalisations 4 D, dense 2 D ff + ff + D.
        formula = 4 * int(features) * 1024 + 3 * 1024 + int(features) * (5 + 2 * 128 + 1) + 128
        assert formula == int(block.replace(" ", ""))
        assert count == int(parameters.replace(" ", "")) == 2 * formula
