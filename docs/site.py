"""A hook of the documentation's build: adds notebooks, and pages from outside this folder.

The links of the sources work in a checkout; here they are changed to links inside the site.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import Any

import nbformat
from mkdocs.structure.files import File, Files
from nbconvert import MarkdownExporter

ROOT = Path(__file__).parents[1]

PAGES = {
    "README.md": "index.md",
    "examples/README.md": "examples.md",
    "models/README.md": "models.md",
    "CHANGELOG.md": "changelog.md",
}
"""Path in the repository -> page of the site."""

_LINK = re.compile(r"(\]\()([^)#\s]+)(#[^)\s]*)?(\))")


def on_files(files: Files, config: Any) -> Files:
    """Add the notebooks as they were executed, and the pages from outside."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text("utf-8")))
    for path in sorted((ROOT / "docs" / "notebooks").glob("*.ipynb")):
        names = {"unique_key": path.stem}  # of its pictures
        notebook = nbformat.read(path, as_version=4)
        text, made = MarkdownExporter().from_notebook_node(notebook, resources=names)
        files.append(File.generated(config, f"notebooks/{path.stem}.md", content=text))
        for name, picture in made["outputs"].items():
            files.append(File.generated(config, f"notebooks/{name}", content=picture))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Point the links of a page at pages of the site; name what the site does not hold."""
    sources = {target: source for source, target in PAGES.items()}
    source = sources.get(page.file.src_uri, f"docs/{page.file.src_uri}")

    def bend(match: re.Match[str]) -> str:
        opening, target, anchor, closing = match.groups()
        if "://" in target:
            return match.group()
        inside = normpath(str(PurePosixPath(source).parent / target))
        if not (ROOT / inside).exists():
            return match.group()  # left as it is: the build reports it
        at = PAGES.get(inside) or inside.removeprefix("docs/")
        at = at.replace(".ipynb", ".md")
        if inside not in PAGES and not inside.startswith("docs/"):
            return f"]({relpath('examples.md', str(PurePosixPath(page.file.src_uri).parent))})"
        start = str(PurePosixPath(page.file.src_uri).parent)
        return f"{opening}{relpath(at, start)}{anchor or ''}{closing}"

    return _LINK.sub(bend, markdown)
