"""The model file's outputs in other runtimes: ``python -m benchmarks.portability``.

Runs every example on the shipped model and prints the differences that it reports. Needs what
`make portability` installs.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path

from benchmarks.machine import describe_machine

REPOSITORY = Path(__file__).parents[1]
EXAMPLES = REPOSITORY / "examples"
MODEL = REPOSITORY / "models" / "sp500.onnx"
GOLDEN = MODEL.with_suffix(".golden.json")


class QuietHandler(SimpleHTTPRequestHandler):
    """A static server that does not log."""

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def by_script(*command: str | Path) -> list[str]:
    """Run an example; return its result for each output."""
    output = subprocess.run(
        [*map(str, command), str(MODEL), str(GOLDEN)], check=True, capture_output=True, text=True
    ).stdout
    return [line.split()[2] for line in output.splitlines()]


def by_page() -> list[str]:
    """Open the example's page; return the differences in its table."""
    handler = partial(QuietHandler, directory=str(REPOSITORY))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/examples/browser/"
        driver = REPOSITORY / "tests" / "portability" / "browser.mjs"
        chromium = shutil.which("chromium") or "chromium"
        with tempfile.TemporaryDirectory() as folder:
            output = subprocess.run(
                ["node", str(driver), chromium, url, folder],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        server.shutdown()
    return [row.split()[1] for row in json.loads(output)["checks"]]


def npm_version(package: str) -> str:
    """Return the installed version of an npm package."""
    path = EXAMPLES / "node_modules" / package / "package.json"
    return f"{package} {json.loads(path.read_text())['version']}"


def first_line(*command: str) -> str:
    """Return the version that a program prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")[0]


def main() -> None:
    chromium = " ".join(first_line("chromium", "--version").split()[:2])
    runtimes = {
        f"{npm_version('onnxruntime-node')}, Node {first_line('node', '--version')}": by_script(
            "node", EXAMPLES / "node" / "regimes.mjs"
        ),
        f"{npm_version('onnxruntime-web')}, {chromium}": by_page(),
        f"openvino {metadata.version('openvino')}": by_script(
            sys.executable, EXAMPLES / "openvino" / "compare.py"
        ),
        f"onnx {metadata.version('onnx')}, reference evaluator": by_script(
            sys.executable, EXAMPLES / "onnx_reference" / "compare.py"
        ),
    }
    print(f"Measured on {describe_machine()}.\n")
    print("| runtime | embedding | distance | novelty | regimes that differ | causal labels |")
    print("|---|---|---|---|---|---|")
    for runtime, (*differences, regimes, labels) in runtimes.items():
        figures = [f"{float(difference):.1e}" for difference in differences]
        print(f"| {' | '.join([runtime, *figures, regimes, labels])} |")


if __name__ == "__main__":
    main()
