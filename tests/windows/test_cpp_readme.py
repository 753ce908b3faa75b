"""The examples of cpp/README.md are those that cpp/check.sh builds and runs."""

import re
from pathlib import Path

import pytest

CPP = Path(__file__).parents[2] / "cpp"
README = (CPP / "README.md").read_text()
BLOCKS = dict(re.findall(r"```(cmake|cpp)\n(.*?)```", README, flags=re.DOTALL))


@pytest.mark.parametrize(("language", "name"), [("cmake", "CMakeLists.txt"), ("cpp", "main.cpp")])
def test_an_example_is_the_one_that_is_built(language, name):
    assert BLOCKS[language] == (CPP / "examples" / "consumer" / name).read_text()


def test_every_header_is_listed():
    headers = {path.name for path in (CPP / "include" / "regimetry").iterdir()}
    assert set(re.findall(r"`(\w+\.hpp)`", README)) == headers


def test_every_method_has_a_thread_safety_line():
    from regimetry import _core

    public = [value for name, value in vars(_core).items() if not name.startswith("_")]
    methods = [
        method
        for name, method in vars(_core.StreamBank).items()
        if callable(method) and not name.startswith("_")
    ]
    assert len(public) == 9
    assert len(methods) == 10
    for function in [*public, *methods]:
        assert "Thread safety: " in function.__doc__, function
