"""What a wheel may hold, and how large it may be: ``python tests/wheel_content.py FILE``."""

import re
import sys
import zipfile
from pathlib import Path

LIMIT = 2 * 2**20
"""Bytes of the file."""

EXTENSION = re.compile(r"regimetry/_core\..*(?:so|pyd)")
PACKAGE = re.compile(r"regimetry/.+|regimetry-[\w.+]+\.dist-info/.+")
FOREIGN = re.compile(
    r"(?:.*/)?tests?/.*|.*\.(?:h|hpp|c|cpp|cmake|a|lib|o|pyc|so[.\d]*|pyd|dll|dylib)"
)
NEEDED = (
    "regimetry/__init__.py",
    "regimetry/_core.pyi",
    "regimetry/py.typed",
    *(f"regimetry/report/assets/{name}" for name in ("page.html.j2", "page.css", "start.js")),
    "regimetry/backtest/page.html.j2",
    "/licenses/LICENSE",
)


def problems(wheel: Path) -> list[str]:
    """Say what is wrong with a wheel, in sentences; nothing if it is as it should be."""
    names = [name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith("/")]
    found = [
        f"holds {name}"
        for name in names
        if not PACKAGE.fullmatch(name)
        or (FOREIGN.fullmatch(name) and not EXTENSION.fullmatch(name))
    ]
    found += [f"lacks {part}" for part in NEEDED if not any(name.endswith(part) for name in names)]
    if not any(EXTENSION.fullmatch(name) for name in names):
        found.append("lacks the extension")
    size = wheel.stat().st_size
    if size > LIMIT:
        found.append(f"has {size} bytes, more than {LIMIT}")
    return found


def main() -> None:
    """Exit with the problems, or say how large the wheel is."""
    wheel = Path(sys.argv[1])
    if found := problems(wheel):
        sys.exit("\n".join(f"{wheel.name} {problem}" for problem in found))
    print(f"{wheel.name}: {wheel.stat().st_size / 1024:.0f} KiB, nothing but the package")


if __name__ == "__main__":
    main()
