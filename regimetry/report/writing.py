"""A report as files: one page, Markdown with its figures, one picture, or a folder of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from regimetry.errors import DataError, InstallError
from regimetry.files import replacing, require_writable
from regimetry.report.data import ReportData


def require_place(output: Path, kind: str) -> None:
    """Raise :class:`DataError` unless a report of this format can be written to ``output``."""
    folder = _folder(output, kind)
    if folder is not None and folder.exists() and not folder.is_dir():
        raise DataError(f"{folder} is a file; the figures need a folder of this name.")
    if folder != output or not output.is_dir():
        require_writable(output)


def write_report(data: ReportData, output: Path, kind: str) -> None:
    """Write a report, each file complete or not at all.

    Parameters
    ----------
    data : ReportData
    output : Path
        A file; for "png" and "svg" a name that does not end so is a folder of all figures.
    kind : {"html", "md", "png", "svg"}

    Raises
    ------
    InstallError
        What draws is not installed.
    DataError
        A folder does not exist or cannot be written to.
    """
    folder = _folder(output, kind)
    if kind == "html":
        with _installed("plotly and jinja2, which make the page,"):
            from regimetry.report.page import render_page
        _write_text(render_page(data), output)
        return
    with _installed("matplotlib, which draws the figures,"):
        from regimetry.report.pictures import pictures, save_picture
    drawn = pictures(data)
    if folder is None:
        drawn, paths = {"timeline": drawn["timeline"]}, {"timeline": output}
    else:
        folder.mkdir(exist_ok=True)
        suffix = "png" if kind == "md" else kind
        paths = {name: folder / f"{name}.{suffix}" for name in drawn}
    for name, draw in drawn.items():
        with replacing(paths[name]) as temporary:
            save_picture(draw(), temporary)
    if kind == "md":
        from regimetry.report.markdown import render_markdown

        links = {name: f"{path.parent.name}/{path.name}" for name, path in paths.items()}
        _write_text(render_markdown(data, links), output)


def _folder(output: Path, kind: str) -> Path | None:
    """Return the folder that pictures go to, if any."""
    if kind == "md":
        return output.with_name(f"{output.stem}-figures")
    one = output.suffix.lower() == f".{kind}"
    return output if kind in ("png", "svg") and not one else None


@contextmanager
def _installed(what: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise InstallError(
            f"{what} cannot be loaded ({error.name} is missing). Run: pip install "
            "'regimetry[report]'."
        ) from error


def _write_text(text: str, output: Path) -> None:
    with replacing(output) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
