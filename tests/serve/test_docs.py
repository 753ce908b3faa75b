"""What docs/serving.md shows runs, and the limits it states are the defaults."""

import re

from places import DOCS, ROOT

from regimetry.cli import build_parser
from regimetry.runtime.changes import ChangeRule
from regimetry.serve.app import Limits
from regimetry.serve.live import SeriesLimits
from regimetry.serve.server import CONNECTIONS
from regimetry.serve.subscribers import PENDING_BYTES
from regimetry.serve.table import NAME_LENGTH

TEXT = (DOCS / "serving.md").read_text()


def test_the_example_runs(server, monkeypatch):
    monkeypatch.chdir(ROOT)
    code = "".join(re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL))
    assert code.count("127.0.0.1:8000") == 2
    assert code.count("assert") == 4
    exec(compile(code.replace("127.0.0.1:8000", server.url), "docs/serving.md", "exec"), {})


def test_the_limits_are_the_defaults():
    options = build_parser().parse_args(["serve", "m.onnx"])
    stated = dict(re.findall(r"\| `--([a-z-]+)` \| (\d+)", TEXT))
    for name, value in stated.items():
        assert getattr(options, name.replace("-", "_")) == int(value)
    assert len(stated) == 15
    assert f"{CONNECTIONS} connections" in TEXT
    rule = ChangeRule(probability=options.change_probability, bars=options.change_bars)
    assert rule == ChangeRule()
    assert f"labels in a row ({rule.bars})" in TEXT
    assert f"probable ({rule.probability})" in TEXT
    assert f"1 to {NAME_LENGTH} printable characters" in TEXT
    assert f"{PENDING_BYTES >> 20} MiB behind" in TEXT
    assert SeriesLimits() == SeriesLimits(
        series=options.max_series,
        client_series=options.max_client_series,
        rows=options.max_rows,
        idle_s=options.idle,
    )
    assert Limits() == Limits(
        request_bytes=options.max_request_bytes,
        batch=options.max_batch,
        requests=options.max_requests,
        read_timeout_s=options.read_timeout,
        response_bytes=options.max_response_bytes,
        write_timeout_s=options.write_timeout,
        body_bytes=options.max_body_bytes,
    )
