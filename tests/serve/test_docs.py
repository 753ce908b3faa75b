"""What docs/serving.md shows runs, and the limits it states are the defaults."""

import re

from places import DOCS, ROOT

from regimetry.cli import build_parser
from regimetry.serve.app import Limits
from regimetry.serve.server import CONNECTIONS

TEXT = (DOCS / "serving.md").read_text()


def test_the_example_runs(server, monkeypatch):
    monkeypatch.chdir(ROOT)
    code = "".join(re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL))
    assert code.count("127.0.0.1:8000") == 2
    assert code.count("assert") == 2
    exec(compile(code.replace("127.0.0.1:8000", server.url), "docs/serving.md", "exec"), {})


def test_the_limits_are_the_defaults():
    options = build_parser().parse_args(["serve", "m.onnx"])
    stated = dict(re.findall(r"\| `--([a-z-]+)` \| (\d+)", TEXT))
    for name, value in stated.items():
        assert getattr(options, name.replace("-", "_")) == int(value)
    assert len(stated) == 8
    assert f"{CONNECTIONS} connections" in TEXT
    assert Limits() == Limits(
        request_bytes=options.max_request_bytes,
        batch=options.max_batch,
        requests=options.max_requests,
        read_timeout_s=options.read_timeout,
        response_bytes=options.max_response_bytes,
        write_timeout_s=options.write_timeout,
        body_bytes=options.max_body_bytes,
    )
