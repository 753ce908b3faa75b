import random
import zipfile

import pytest
import release_names
import smoke
from wheel_content import NEEDED, problems

GOOD = [
    "regimetry/__init__.py",
    "regimetry/windows/several.py",
    "regimetry/_core.pyi",
    "regimetry/_core.cpython-311-x86_64-linux-gnu.so",
    "regimetry/py.typed",
    "regimetry/report/assets/page.html.j2",
    "regimetry/backtest/page.html.j2",
    "regimetry/report/assets/page.css",
    "regimetry/report/assets/start.js",
    "regimetry-0.1.0.dist-info/METADATA",
    "regimetry-0.1.0.dist-info/licenses/LICENSE",
]


def wheel(folder, names, size=10):
    path = folder / "regimetry.whl"
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(name, random.Random(0).randbytes(size))
    return path


def test_a_wheel_as_it_should_be(tmp_path):
    windows = [name.replace("cpython-311-x86_64-linux-gnu.so", "cp311-win.pyd") for name in GOOD]
    for names in (GOOD, windows):
        assert problems(wheel(tmp_path, names)) == []


def test_anything_else_and_what_is_missing_is_named(tmp_path):
    for name in (
        "tests/smoke.py",
        "regimetry/tests/data.csv",
        "include/regimetry/jump.hpp",
        "regimetry-0.1.0.data/headers/jump.hpp",
        "regimetry/jump.cpp",
        "lib/cmake/regimetry/regimetry-config.cmake",
        "regimetry/libgomp.so.1",
    ):
        assert problems(wheel(tmp_path, [*GOOD, name])) == [f"holds {name}"]
    for part, named in (*((part, part) for part in NEEDED), (".so", "the extension")):
        names = [name for name in GOOD if not name.endswith(part)]
        assert problems(wheel(tmp_path, names)) == [f"lacks {named}"]
    (problem,) = problems(wheel(tmp_path, GOOD, size=400_000))
    assert "more than 2097152" in problem


def test_a_release_is_sources_and_a_wheel_of_each_platform(tmp_path):
    platforms = [
        "manylinux_2_28_x86_64",
        "manylinux_2_28_aarch64",
        "macosx_11_0_arm64",
        "win_amd64",
    ]
    names = [f"regimetry-0.1.0-cp313-cp313-{platform}.whl" for platform in platforms]
    for name in (*names, "regimetry-0.1.0.tar.gz"):
        (tmp_path / name).touch()
    version = release_names.declared()
    assert release_names.problems(tmp_path, "v0.1.0", "0.1.0") == []
    (problem,) = release_names.problems(tmp_path, "v0.1.0", "0.2.0")
    assert "the version in pyproject.toml 0.2.0" in problem
    assert release_names.problems(tmp_path, f"v{version}9", version)
    (tmp_path / names[0]).rename(tmp_path / "other-0.1.0.whl")
    (tmp_path / "regimetry-0.1.0.tar.gz").unlink()
    assert release_names.problems(tmp_path, "v0.1.0", "0.1.0") == [
        "other-0.1.0.whl is no file of regimetry 0.1.0",
        "there are no sources",
    ]


def test_the_smoke_test_passes_and_can_fail(capsys, monkeypatch):
    smoke.main()
    assert "works on Python" in capsys.readouterr().out
    monkeypatch.setattr(smoke, "gather_windows", lambda *_, **__: None)
    with pytest.raises(SystemExit, match="gather_windows went wrong"):
        smoke.main()
