"""The examples for Node and the browser, which compare the window form themselves."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks.portability.environment import RUN_S, Result

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = REPOSITORY / "examples"
DRIVER = REPOSITORY / "tests" / "portability" / "browser.mjs"


class QuietHandler(SimpleHTTPRequestHandler):
    """A static server that does not log."""

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def in_javascript(model: Path) -> Iterator[tuple[str, Result]]:
    """Yield the rows of the two, or why one has none."""
    golden = model.with_suffix(".golden.json")
    for package, program, run in (
        ("onnxruntime-node", "node", in_node),
        ("onnxruntime-web", "chromium", in_page),
    ):
        installed = EXAMPLES / "node_modules" / package / "package.json"
        if not (shutil.which("node") and shutil.which(program) and installed.exists()):
            yield package, "not installed: `make runtimes`"
            continue
        version = json.loads(installed.read_text())["version"]
        try:
            found = run(model, golden)
        except (subprocess.SubprocessError, OSError) as error:
            yield f"{package} {version}", f"{type(error).__name__}: {error}"
            continue
        count = len(json.loads(golden.read_text())["regime"])
        names = ("embedding", "distance", "novelty")
        result = {name: float(text) for name, text in zip(names, found, strict=False)}
        yield f"{package} {version}", {**result, "regime": 1 - int(found[3]) / count}


def in_node(model: Path, golden: Path) -> list[str]:
    """Run the script; return its result for each output."""
    script = EXAMPLES / "node" / "regimes.mjs"
    lines = said("node", script, model, golden).splitlines()
    return [line.split()[2] for line in lines]


def in_page(model: Path, golden: Path) -> list[str]:
    """Open the page, with the model beside it; return the differences in its table."""
    with tempfile.TemporaryDirectory() as name:
        site = Path(name)
        for part in ("browser", "javascript"):
            (site / part).symlink_to(EXAMPLES / part)
        for file in (model, golden):
            (site / file.name).symlink_to(file.resolve())
        handler = partial(QuietHandler, directory=name)
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            url = f"http://127.0.0.1:{server.server_port}/browser/?model=../{model.name}"
            shown = said("node", DRIVER, shutil.which("chromium"), url, name)
            server.shutdown()
    return [row.split()[1] for row in json.loads(shown)["checks"]]


def said(*command: object) -> str:
    """Run a program; return what it prints."""
    return subprocess.run(
        [*map(str, command)], check=True, capture_output=True, text=True, timeout=RUN_S
    ).stdout
