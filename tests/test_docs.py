"""What the documentation shows runs, and what it links to exists."""

import os
import re
import shlex
import subprocess
import sys

import pytest
from places import DOCS, ROOT

from regimetry.cli import build_parser

PAGES = sorted(DOCS.rglob("*.md"))
OUTSIDE = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)

# Tests of their own run these, some with a server or a browser.
ELSEWHERE = {
    "encoder.md": "tests/encoder",
    "features.md": "tests/series",
    "mlflow.md": "tests",
    "portability.md": "tests/portability",
    "serving.md": "tests/serve",
}


def blocks(page):
    return [found.groups() for found in _BLOCK.finditer(page.read_text("utf-8"))]


def environment():
    """The tests' own commands first on the path; nothing that Keras or a terminal adds."""
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "TF_CPP_MIN_LOG_LEVEL": "2"}


def run_page(page, folder):
    """Run shell blocks as they come; the Python blocks between two of them share one namespace."""
    namespace = {}
    for language, source in blocks(page):
        if language == "sh":
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", source],
                cwd=folder,
                env=environment(),
                capture_output=True,
                text=True,
                timeout=600,
                check=False,
            )
            assert done.returncode == 0, f"{source}\n{done.stderr}"
        elif language == "python":
            exec(compile(source, f"{page.name}: {source.splitlines()[0]}", "exec"), namespace)


RUN = [
    page
    for page in PAGES
    if page.name not in ELSEWHERE and any(language == "python" for language, _ in blocks(page))
]


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.stem)
def test_the_blocks_of_a_page_run_in_order(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_page(page, tmp_path)


def test_a_wrong_block_fails(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```sh\nfalse\n```\n")
    with pytest.raises(AssertionError):
        run_page(page, tmp_path)
    page.write_text("```python\nassert 1 + 1 == 3\n```\n")
    with pytest.raises(AssertionError):
        run_page(page, tmp_path)


def commands(page):
    """The commands of a page's shell blocks, without what the shell takes."""
    shell = "".join(source for language, source in blocks(page) if language == "sh")
    found = re.findall(r'^(?:.*\| |eval "\$\()?regimetry ([^<>#)\n]+)', shell, flags=re.MULTILINE)
    return [shlex.split(command.partition("|")[0]) for command in found]


@pytest.mark.parametrize("page", [*OUTSIDE, *PAGES], ids=lambda page: page.stem)
def test_commands_are_understood(page):
    found = commands(page)
    assert len(found) >= {"README": 16, "cli": 7, "search": 2}.get(page.stem, 0)
    for command in found:
        assert callable(build_parser().parse_args(command).run)


@pytest.mark.parametrize("page", [*OUTSIDE, *PAGES], ids=lambda page: page.stem)
def test_links_exist(page):
    prose = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)#\s]+)", prose):
        assert target.startswith("http") or (page.parent / target).exists(), target


@pytest.mark.parametrize("page", [*OUTSIDE, *PAGES], ids=lambda page: page.stem)
def test_paths_that_are_named_exist(page):
    for path in re.findall(
        r"`((?:tests|examples|benchmarks)/[\w./]+\.\w+)`", page.read_text("utf-8")
    ):
        assert (ROOT / path).exists(), path


def test_pages_run_elsewhere_have_tests_there():
    for page, folder in ELSEWHERE.items():
        assert (ROOT / "docs" / page).exists()
        assert any((ROOT / folder).glob("test_*.py"))
