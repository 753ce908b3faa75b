"""The benchmark of the service, small: both sides give the same, or it ends."""

import re
from contextlib import closing

import pytest

from benchmarks import serving


@pytest.fixture
def small(monkeypatch):
    sizes = {"SERIES": 20, "MANY": 50, "ROUNDS": 3, "WARM": 5, "SINGLE": 20, "STEPS": 60}
    for name, size in sizes.items():
        monkeypatch.setattr(serving, name, size)


def test_every_part_prints_its_figures(small, tmp_path, capsys):
    serving.measure_speed(tmp_path / "speed")
    serving.measure_restarts(tmp_path / "restarts")
    serving.measure_memory(tmp_path / "memory", 40)
    said = capsys.readouterr().out
    for name in ("bank in process", "binary", "JSON", "p99", "p99.9", "restart of 50", "over 40"):
        assert re.search(rf"\| .*{re.escape(name)}.* \|.*\d", said), name


def test_answers_that_differ_end_it(small, tmp_path, monkeypatch):
    taken = serving.Client.push_json

    def wrong(*arguments):
        return {name: found + 1 for name, found in taken(*arguments).items()}

    monkeypatch.setattr(serving.Client, "push_json", wrong)
    with (
        serving.serving(tmp_path) as (_, port, _),
        closing(serving.Client(port)) as client,
        pytest.raises(AssertionError),
    ):
        serving.compare(client)
