"""What docs/cli.md and docs/search.md show is what there is."""

import re
import shlex

import pytest
from places import DOCS

from regimetry.cli import build_parser
from regimetry.configuration.reading import resolve, validated
from regimetry.errors import ConfigError

PAGES = {name: (DOCS / name).read_text(encoding="utf-8") for name in ("cli.md", "search.md")}


def commands():
    for text in PAGES.values():
        for block in re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL):
            for line in block.splitlines():
                line = line.removeprefix('eval "$(').replace(')"', "")  # noqa: PLW2901
                words = shlex.split(line, comments=True)
                if words[0] == "regimetry":
                    yield words[1 : words.index(">")] if ">" in words else words[1:]


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_a_command_is_understood(words):
    assert callable(build_parser().parse_args(words).run)


def test_the_file_is_read(tmp_path):
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGES["cli.md"], flags=re.DOTALL)
    (tmp_path / "run.yaml").write_text(block)
    found = resolve(tmp_path / "run.yaml", {})
    assert found.columns == ("close", "prix, net")
    assert (found.window_size, found.encoder.num_heads) == (20, 2)


def test_the_errors_are_those_shown():
    shown = re.findall(r"    regimetry: run\.yaml: (.*?) ?\.\.\.\n", PAGES["cli.md"])
    wrong = [{"window_sise": 20}, {"encoder": {"pooling": "sum"}}]
    for text, data in zip(shown, wrong, strict=True):
        with pytest.raises(ConfigError) as caught:
            validated(data)
        assert str(caught.value).startswith(text)
