"""Whether a folder holds a release alone: ``python tests/release_names.py FOLDER TAG``."""

import re
import sys
from pathlib import Path

PLATFORMS = ("manylinux", "aarch64", "macosx", "arm64", "win")


def declared() -> str:
    """Return the version that pyproject.toml declares."""
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text()
    return re.findall(r'^version = "(.*)"', text, re.MULTILINE)[0]


def problems(folder: Path, tag: str, declared: str) -> list[str]:
    """Say what is wrong with the files of a release, in sentences; nothing if all is there."""
    names = sorted(path.name for path in folder.iterdir())
    version = tag.removeprefix("v")
    found = []
    if declared != version:
        found.append(f"the tag is {tag}, the version in pyproject.toml {declared}")
    found += [
        f"{name} is no file of regimetry {version}"
        for name in names
        if not re.fullmatch(rf"regimetry-{re.escape(version)}(\.tar\.gz|-[\w.-]+\.whl)", name)
    ]
    if f"regimetry-{version}.tar.gz" not in names:
        found.append("there are no sources")
    wheels = [name for name in names if name.endswith(".whl")]
    found += [f"there is no wheel of {p}" for p in PLATFORMS if not any(p in w for w in wheels)]
    return found


def main() -> None:
    """Exit with the problems, or count the files."""
    folder = Path(sys.argv[1])
    if found := problems(folder, sys.argv[2], declared()):
        sys.exit("\n".join(found))
    print(f"{len(list(folder.iterdir()))} files of {sys.argv[2]}")


if __name__ == "__main__":
    main()
