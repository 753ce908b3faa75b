"""A report as files: one page, Markdown with its figures, one picture, or a folder of pictures."""

from __future__ import annotations

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
        _write_text(_page(data), output)
    elif kind == "md" and folder is not None:
        from regimetry.report.markdown import render_markdown

        paths = _write_pictures(data, folder, "png")
        links = {path.stem: f"{folder.name}/{path.name}" for path in paths}
        _write_text(render_markdown(data, links), output)
    elif folder is not None:
        _write_pictures(data, folder, kind)
    else:
        _require_matplotlib()
        from regimetry.report.pictures import draw_timeline, save_picture

        with replacing(output) as temporary:
            save_picture(draw_timeline(data), temporary)


def _folder(output: Path, kind: str) -> Path | None:
    """Return the folder that pictures go to, if any."""
    if kind == "md":
        return output.with_name(f"{output.stem}-figures")
    one = output.suffix.lower() == f".{kind}"
    return output if kind in ("png", "svg") and not one else None


def _page(data: ReportData) -> str:
    try:
        from regimetry.report.page import render_page
    except ModuleNotFoundError as error:
        raise _absent("plotly and jinja2, which make the page,", error) from error
    return render_page(data)


def _write_pictures(data: ReportData, folder: Path, kind: str) -> list[Path]:
    _require_matplotlib()
    from regimetry.report.pictures import pictures, save_picture

    folder.mkdir(exist_ok=True)
    paths = []
    for name, draw in pictures(data).items():
        paths.append(folder / f"{name}.{kind}")
        with replacing(paths[-1]) as temporary:
            save_picture(draw(), temporary)
    return paths


def _require_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError as error:
        raise _absent("matplotlib, which draws the figures,", error) from error


def _absent(what: str, error: ModuleNotFoundError) -> InstallError:
    return InstallError(
        f"{what} cannot be loaded ({error.name} is missing). Run: pip install 'regimetry[report]'."
    )


def _write_text(text: str, output: Path) -> None:
    with replacing(output) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
