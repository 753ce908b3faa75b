"""The file and the errors that docs/cli.md shows are those that there are."""

import re

import pytest
from places import DOCS

from regimetry.configuration.reading import resolve, validated
from regimetry.errors import ConfigError

TEXT = (DOCS / "cli.md").read_text(encoding="utf-8")


def test_the_file_is_read(tmp_path):
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.DOTALL)
    (tmp_path / "run.yaml").write_text(block)
    found = resolve(tmp_path / "run.yaml", {})
    assert found.columns == ("close", "prix, net")
    assert (found.window_size, found.encoder.num_heads) == (20, 2)


def test_the_errors_are_those_shown():
    shown = re.findall(r"    regimetry: run\.yaml: (.*?) ?\.\.\.\n", TEXT)
    wrong = [{"window_sise": 20}, {"encoder": {"pooling": "sum"}}]
    for text, data in zip(shown, wrong, strict=True):
        with pytest.raises(ConfigError) as caught:
            validated(data)
        assert str(caught.value).startswith(text)
