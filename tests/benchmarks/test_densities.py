"""The benchmark of densities tells right ones from wrong ones."""

import numpy as np
import pytest

from benchmarks.densities import distance, main, row, transforms


def test_uniform_transforms_are_near_and_others_are_not():
    rng = np.random.default_rng(0)
    even = rng.random(4000)
    assert distance(even) < 1.36 / np.sqrt(4000)
    assert distance(even**1.2) > 2 * 1.36 / np.sqrt(4000)
    assert distance(np.array([0.5])) == 0.5
    assert "| 0.05" in row("x", np.linspace(0, 1, 1001)[:-1])


def test_transforms_are_those_of_later_rows():
    values = np.cumsum(np.random.default_rng(0).standard_normal((500, 1)) * 0.3, axis=0)
    found = transforms(values)
    assert len(found) == 200
    assert distance(found) < 0.12
    assert distance(found**2) > 0.12


def test_the_table_is_printed(monkeypatch, capsys, tmp_path):
    noise = np.random.default_rng(0).standard_normal((400, 1))
    kinds = [(f"kind {i}", [noise + i]) for i in range(6)]
    monkeypatch.setattr("benchmarks.densities.series", lambda seeds: iter(kinds))
    main(["--seeds", "1", "--image", str(tmp_path / "h.png")])
    shown = capsys.readouterr().out
    assert shown.count("| kind") == 6
    assert (tmp_path / "h.png").stat().st_size > 1000


def test_unknown_seeds_are_refused(capsys):
    with pytest.raises(SystemExit):
        main(["--seeds", "a"])
    assert "invalid int value" in capsys.readouterr().err
