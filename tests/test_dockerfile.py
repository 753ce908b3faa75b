"""The steps of the Dockerfile, run without Docker as far as they can be."""

import json
import re
import shlex
import socket
import subprocess
import sys
import time
from importlib import metadata
from types import SimpleNamespace

import pytest
import yaml
from places import MODEL, ROOT

TEXT = (ROOT / "Dockerfile").read_text()
STEPS = [
    tuple(line.split(maxsplit=1))
    for line in re.sub(r"\\\n", " ", TEXT).splitlines()
    if line and not line.startswith("#")
]
# A process whose Python opens no file for writing: as on a filesystem that is read-only.
READ_ONLY = """
import os, sys
def watch(event, arguments):
    if event == "open" and arguments[0] != "/dev/null":
        mode, flags = arguments[1:]
        if set(mode or "") & set("wax+") or (flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise PermissionError(f"{arguments[0]} is on a read-only filesystem")
    if event in ("os.mkdir", "os.rename", "os.remove", "os.link", "os.symlink"):
        raise PermissionError(f"{event} on a read-only filesystem")
sys.dont_write_bytecode = True
sys.addaudithook(watch)
from regimetry.cli import main
sys.exit(main(sys.argv[1:]))
"""


def steps(name):
    return [rest for found, rest in STEPS if found == name]


def test_it_is_slim_runs_as_nobody_and_names_its_commands_exactly():
    assert all("-slim" in image for image in steps("FROM"))
    assert steps("USER") == ["10001:10001"]
    assert STEPS.index(("USER", "10001:10001")) > max(
        number for number, (name, _) in enumerate(STEPS) if name in ("RUN", "COPY")
    )
    for name in ("ENTRYPOINT", "CMD"):
        assert isinstance(json.loads(steps(name)[0]), list)  # no shell in between


def test_what_is_copied_is_there_and_enough_for_a_wheel():
    allowed = [one[1:] for one in (ROOT / ".dockerignore").read_text().split() if one[0] == "!"]
    copied = [
        name
        for rest in steps("COPY")
        if not rest.startswith("--from")
        for name in rest.split()[:-1]
    ]
    assert sorted(copied) == sorted(allowed)
    assert all((ROOT / name).exists() for name in copied)
    project = (ROOT / "pyproject.toml").read_text()
    for needed in re.findall(r'^(?:readme = |license-files = \[)"(.*?)"', project, re.MULTILINE):
        assert needed in copied
    for folder in re.findall(
        r"\$\{CMAKE_CURRENT_SOURCE_DIR\}/(\w+)", (ROOT / "CMakeLists.txt").read_text()
    ):
        assert folder in copied


def test_the_wheel_has_the_command_and_the_extras_that_are_installed():
    (install,) = [rest for rest in steps("RUN") if "pip install" in rest]
    extras = set(re.search(r"\[([\w,]+)\]", install)[1].split(","))
    found = metadata.metadata("regimetry")
    assert extras <= set(found.get_all("Provides-Extra"))
    assert json.loads(steps("ENTRYPOINT")[0])[0] in {
        one.name for one in metadata.entry_points(group="console_scripts")
    }


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture
def container(tmp_path):
    """The image's command on a port of its own, in a process that may write nothing."""
    port = str(free_port())
    (check,) = steps("HEALTHCHECK")
    health = [part.replace("8000", port) for part in json.loads(check.partition("CMD ")[2])]
    words = [*json.loads(steps("ENTRYPOINT")[0])[1:], *json.loads(steps("CMD")[0])]
    words = [word.replace("8000", port).replace("/models/model.onnx", str(MODEL)) for word in words]
    command = [sys.executable, "-c", READ_ONLY, *words]

    def check():
        command = [sys.executable, *health[1:]]
        return subprocess.run(command, capture_output=True, check=False).returncode

    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        yield SimpleNamespace(process=process, check=check)
        process.terminate()


def test_the_service_starts_without_writing_and_the_check_tells(container, tmp_path):
    until = time.monotonic() + 60
    while container.check() and time.monotonic() < until:
        assert container.process.poll() is None, container.process.stderr.read()
    assert container.check() == 0
    assert list(tmp_path.iterdir()) == []
    container.process.terminate()
    container.process.wait(timeout=30)
    assert container.check() != 0


def test_the_watch_sees_a_file_that_is_written(tmp_path):
    command = [sys.executable, "-c", READ_ONLY, "sample", "simulated", "--rows", "400", "-o"]
    done = subprocess.run(
        [*command, str(tmp_path / "x.csv")], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "read-only" in done.stderr
    assert not (tmp_path / "x.csv").exists()


def test_shell_steps_are_understood_by_a_shell():
    for rest in steps("RUN"):
        assert shlex.split(rest)
        subprocess.run(["sh", "-n", "-c", rest], check=True)


def test_the_other_files_of_a_release_agree():
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[
        1
    ]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert str(citation["version"]) == version
    for path in sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")):
        form = yaml.safe_load(path.read_text())
        assert path.stem == "config" or {"name", "description", "body"} <= set(form)
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "wheels.yml").read_text())["jobs"]
    publish = jobs["publish"]
    assert publish["permissions"] == {"id-token": "write"}  # and no token
    assert set(publish["needs"]) == set(jobs) - {"publish"}
    assert "refs/tags/v" in publish["if"]
