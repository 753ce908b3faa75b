"""The command: what it runs, what it keeps, and what its tables say."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from benchmarks.regimes import unit as unit_module
from benchmarks.regimes.__main__ import main
from benchmarks.regimes.document import write_section
from benchmarks.regimes.recordings import vote
from benchmarks.regimes.results import read_results
from benchmarks.regimes.tables import medians, nuisance, nulls, pairs, write_tables
from benchmarks.regimes.unit import Unit, run_unit
from benchmarks.regimes.work import plan, run_all

TINY = [
    *("--seeds", "0-1", "--simulators", "s1,s2", "--methods", "kmeans,oracle", "--jobs", "1"),
    "--no-recordings",
]


def test_a_run_writes_its_tables_and_a_second_run_fits_nothing(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- fresh -->\nold\n<!-- end of fresh -->\nafter\n")
    command = [*TINY, "-o", str(tmp_path / "out"), "--write", str(page), "--section", "fresh"]
    assert main(command) == 0
    text = (tmp_path / "out" / "regimes.md").read_text()
    assert text in capsys.readouterr().out
    assert "| offline | k-means on raw windows |" in text
    assert "| out of sample | true model (ceiling) |" in text
    assert "python -m benchmarks.regimes --seeds 0-1" in text
    assert "scikit-learn" in text.splitlines()[-1]
    assert page.read_text() == (
        f"before\n<!-- fresh -->\n{text.strip()}\n<!-- end of fresh -->\nafter\n"
    )
    with Image.open(tmp_path / "out" / "regimes.png") as picture:
        assert min(picture.size) > 300
        assert len(picture.convert("RGB").getcolors(1 << 24)) > 50

    results = sorted((tmp_path / "out").glob("*.json"))
    assert len(results) == 2 * 2 * 2 * 2  # methods, simulators, seeds, fits
    before = {path: path.stat().st_mtime_ns for path in results}
    results[0].unlink()
    assert main(command) == 0
    after = {path: path.stat().st_mtime_ns for path in results}
    assert [path for path in results if after[path] != before[path]] == results[:1]
    assert (tmp_path / "out" / "regimes.md").read_text() == text


def test_unknown_names_are_refused(capsys):
    for wrong, message in (
        (["--methods", "hmm,magic"], "magic: must be of detector, vamp2"),
        (["--simulators", "s9"], "s9: must be of s1, s2"),
        (["--tasks", "later"], "later: must be of offline, causal"),
    ):
        with pytest.raises(SystemExit) as refusal:
            main(wrong)
        assert refusal.value.code == 2
        assert message in capsys.readouterr().err


def test_one_failure_is_told_and_stops_no_other_fit(tmp_path):
    good = Unit("kmeans", "s2", 0, "training", chosen=False)
    bad = Unit("kmeans", "s2", 0, "training", chosen=True)  # k-means cannot choose
    failures = run_all([bad, good], tmp_path, jobs=1)
    assert len(failures) == 1
    assert "chosen=True" in failures[0]
    assert [path.name for path in tmp_path.iterdir()] == [good.path]


def test_the_hash_is_of_all_that_a_result_depends_on(monkeypatch):
    units = [
        Unit("kmeans", "s2", 0, "whole", chosen=False),
        Unit("kmeans", "s2", 1, "whole", chosen=False),
        Unit("kmeans", "s2", 0, "training", chosen=False),
        Unit("hmm", "s2", 0, "whole", chosen=False),
        Unit("hmm", "s2", 0, "whole", chosen=True),
    ]
    first = [unit.digest() for unit in units]
    assert len(set(first)) == len(units)
    assert [unit.digest() for unit in units] == first
    with monkeypatch.context() as patch:
        patch.setattr(unit_module.metadata, "version", lambda _: "0")
        assert not set(first) & {unit.digest() for unit in units}
    monkeypatch.setattr(unit_module, "fingerprint", lambda sources: "other code")
    assert not set(first) & {unit.digest() for unit in units}


def test_a_change_in_any_file_of_the_package_is_seen(tmp_path):
    package = tmp_path / "regimetry"
    shutil.copytree(unit_module.CODE[0], package, ignore=shutil.ignore_patterns("__pycache__"))
    found = {unit_module.fingerprint.__wrapped__((package,))}
    files = [file for file in package.rglob("*") if file.suffix in (".py", ".so", ".pyd")]
    assert any(file.stem.startswith("_core") for file in files)
    for file in files:
        with file.open("ab") as stream:
            stream.write(b"\n")
        found.add(unit_module.fingerprint.__wrapped__((package,)))
    assert len(found) == len(files) + 1 > 200
    files[0].rename(package / "another_name.py")
    assert unit_module.fingerprint.__wrapped__((package,)) not in found


def test_the_plan_asks_only_what_makes_sense():
    units = plan(
        ["statistics", "jump", "oracle"], ["s5", "h3", "noise"], [7], ["causal"],
        choices=[False, True],
    )  # fmt: skip
    assert {(u.method, u.problem, u.part, u.chosen) for u in units} == {
        ("statistics", "s5", "whole", False),
        ("statistics", "s5", "whole", True),
        ("jump", "s5", "whole", False),  # it cannot choose, and S5 has no true model
        ("statistics", "h3", "whole", False),
        ("jump", "h3", "whole", False),
        ("oracle", "h3", "whole", False),
        ("statistics", "noise", "whole", True),  # one regime: a matter of choice
    }


def test_the_published_market_counts_a_state_that_is_never_named(tmp_path):
    for method in ("oracle", "kmeans"):
        path = tmp_path / f"{method}.json"
        run_unit(Unit(method, "h3", 2, "whole", chosen=False), path)
        result = json.loads(path.read_text())
        assert 0.3 < result["published"] <= 1.0
    problem = unit_module.load_problem("h3", 2)
    right = problem.states.copy()
    assert unit_module._published(problem, right) == 1.0
    missing = np.where(right == 2, 1, right)
    assert unit_module._published(problem, missing) == pytest.approx(2 / 3)
    right[:5] = right[-5:] = -1  # the ends take the nearest label
    assert unit_module._published(problem, right) > 0.95


def made_up():
    every = {"chosen": False, "task": "causal", "n_regimes": 3, "true_n_regimes": 3, "seconds": 1.0,
             "ari": np.nan, "bac": 0.5, "delay": 4.0, "missed": 0.25}  # fmt: skip
    rows = [
        {"method": method, "problem": problem, "seed": seed, "ari": base - 0.1 + more}
        for problem, base in (("s1", 0.8), ("s2", 0.6), ("n1", 0.3))
        for seed in range(3)
        for method, more in (("statistics", 0.1 * seed), ("hmm", 0.05))
    ]
    noise = {"method": "statistics", "problem": "noise", "chosen": True, "task": "count"}
    rows += [noise | {"seed": seed, "n_regimes": found} for seed, found in enumerate((1, 1, 2))]
    return pd.DataFrame([every | row for row in rows])


def test_tables_hold_medians_and_pairs():
    table = made_up()
    wide = medians(table, "ari")
    assert list(wide.columns) == ["s1", "s2"]
    assert wide.loc["statistics"].tolist() == pytest.approx([0.8, 0.6])
    assert wide.loc["hmm"].tolist() == pytest.approx([0.75, 0.55])
    given = table[~table.chosen]
    assert pairs(given, ["causal"]).splitlines()[-1] == (
        "| causal | Gaussian HMM (hmmlearn) | +0.05 (2:1) | +0.05 (2:1) | +0.05 (4:2) |"
    )
    assert nulls(table).splitlines()[-1] == "| window statistics + head | 2 of 3 | 67 % |"
    assert "| causal | window statistics + head | 0.30 (50 %) |" in nuisance(given, ["causal"])
    text = write_tables(table, ["causal"])
    assert "| causal | window statistics + head | **0.80** | **0.60** | 0.70 |" in text
    assert "4.0 (25 %)" in text
    assert "Recordings" not in text
    assert "| 0.70 |" not in write_tables(table.assign(ari=table.ari + 0.1), ["causal"])


def test_results_may_be_absent_and_a_section_may_not(tmp_path):
    unit = Unit("kmeans", "s2", 0, "whole", chosen=False)
    assert read_results([unit], tmp_path).empty
    page = tmp_path / "page.md"
    page.write_text("<!-- a -->\n<!-- end of b -->\n")
    with pytest.raises(ValueError, match="must have the lines <!-- a --> and <!-- end of a -->"):
        write_section(page, "a", "text")
    assert page.read_text() == "<!-- a -->\n<!-- end of b -->\n"


def test_bars_take_the_vote_of_the_windows_over_them():
    labels = np.array([0, 1, 1, 2])  # windows of 4 every 2 bars: 0-3, 2-5, 4-7, 6-9
    np.testing.assert_array_equal(vote(labels, 4, 2, 11), [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2])
