import random
import zipfile

import pytest
import smoke
from wheel_content import NEEDED, problems

GOOD = [
    "regimetry/__init__.py",
    "regimetry/windows/several.py",
    "regimetry/_core.pyi",
    "regimetry/_core.cpython-311-x86_64-linux-gnu.so",
    "regimetry/py.typed",
    "regimetry/report/assets/page.html.j2",
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
    assert problems(wheel(tmp_path, GOOD)) == []
    windows = [
        name.replace("cpython-311-x86_64-linux-gnu.so", "cp311-win_amd64.pyd") for name in GOOD
    ]
    assert problems(wheel(tmp_path, windows)) == []


@pytest.mark.parametrize(
    "name",
    [
        "tests/smoke.py",
        "regimetry/tests/data.csv",
        "include/regimetry/jump.hpp",
        "regimetry-0.1.0.data/headers/jump.hpp",
        "regimetry/jump.cpp",
        "lib/cmake/regimetry/regimetry-config.cmake",
        "regimetry/libgomp.so.1",
    ],
)
def test_anything_else_is_named(tmp_path, name):
    assert problems(wheel(tmp_path, [*GOOD, name])) == [f"holds {name}"]


@pytest.mark.parametrize("part", NEEDED)
def test_what_is_missing_is_named(tmp_path, part):
    names = [name for name in GOOD if not name.endswith(part)]
    assert problems(wheel(tmp_path, names)) == [f"lacks {part}"]


def test_a_wheel_without_the_extension_or_too_large_is_refused(tmp_path):
    assert problems(wheel(tmp_path, [n for n in GOOD if not n.endswith(".so")])) == [
        "lacks the extension"
    ]
    (problem,) = problems(wheel(tmp_path, GOOD, size=400_000))
    assert "more than 2097152" in problem


def test_the_smoke_test_passes_and_can_fail(capsys, monkeypatch):
    smoke.main()
    assert "works on Python" in capsys.readouterr().out
    monkeypatch.setattr(smoke, "gather_windows", lambda *_, **__: None)
    with pytest.raises(SystemExit, match="gather_windows went wrong"):
        smoke.main()
