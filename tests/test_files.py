"""Files are complete or absent, on the disk, and where they were meant to be."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from regimetry import files
from regimetry.errors import DataError, InstallError
from regimetry.files import replacing
from regimetry.runtime import providers


def write(path, text="new"):
    with replacing(path) as temporary:
        temporary.write_text(text)


def test_a_link_stays_a_link_and_a_mode_stays(tmp_path):
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real.name)
    write(link)
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_a_link_to_nothing_makes_its_target(tmp_path):
    (tmp_path / "link.txt").symlink_to("real.txt")
    write(tmp_path / "link.txt")
    assert (tmp_path / "real.txt").read_text() == "new"


def test_a_device_is_not_replaced():
    with pytest.raises(DataError, match="a device or a pipe"):
        write("/dev/null")


def test_a_failing_block_changes_nothing(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def interrupted():
        with replacing(path) as temporary:
            temporary.write_text("new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_text() == "old"


def test_what_a_killed_process_left_a_day_ago_is_removed(tmp_path):
    stale, fresh = tmp_path / ".writing-a.txt", tmp_path / ".writing-b.txt"
    for path in (stale, fresh):
        path.write_text("")
    os.utime(stale, (time.time() - 2 * 86_400,) * 2)
    write(tmp_path / "a.txt")
    assert sorted(p.name for p in tmp_path.iterdir()) == [".writing-b.txt", "a.txt"]


def test_file_and_folder_are_on_the_disk_before_the_block_is_left(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(os, "fsync", lambda fd: seen.append(Path(f"/proc/self/fd/{fd}").resolve()))
    write(tmp_path / "a.txt")
    assert seen[0].name.startswith(files.TEMPORARY)
    assert seen[1:] == [tmp_path]


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "1>&- 2>&-", "0<&- 1>&- 2>&-"])
def test_errors_never_go_to_the_output_whatever_is_closed(tmp_path, closed):
    target, inputs = tmp_path / "labels.csv", tmp_path / "none.onnx"
    command = f'"{sys.executable}" -I -m regimetry predict {inputs} {inputs} -o {target} {closed}'
    found = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert found.stdout == ""
    assert not target.exists()


def test_a_ctrl_c_during_an_import_is_none_of_the_installation(monkeypatch):
    def interrupted(_):
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise ImportError("of a library that was being loaded") from None

    monkeypatch.setattr(providers, "import_module", interrupted)
    with pytest.raises(KeyboardInterrupt):
        providers.import_onnxruntime()

    def missing(_):
        raise ImportError

    monkeypatch.setattr(providers, "import_module", missing)
    with pytest.raises(InstallError):
        providers.import_onnxruntime()
