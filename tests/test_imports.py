"""Which modules a tier may load, each checked in an interpreter of its own."""

import shutil
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from blocked import run_blocked
from places import ROOT

from regimetry.cli import VERBS

RESEARCH = ["tensorflow", "keras", "sklearn", "scipy", "onnx", "tf2onnx", "pandas", "pyarrow",
            "matplotlib", "narwhals", "tqdm", "yaml", "starlette", "uvicorn",
            "prometheus_client", "plotly", "jinja2", "ray", "mlflow"]  # fmt: skip


def assert_runs(code, blocked, *arguments):
    result = run_blocked(code, blocked, *arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_tier_0_needs_numpy_and_the_extension():
    assert_runs(
        """
        import numpy as np
        import regimetry, regimetry.analysis, regimetry.contract, regimetry.errors, regimetry.files
        import regimetry.series.preprocessing, regimetry.series.series, regimetry.series.schema
        import regimetry.encoder.config
        from regimetry.series.features import BarColumns, OhlcvFeatures
        bars = np.tile([2.0, 3.0, 1.0, 2.0], (9, 1))
        features = OhlcvFeatures(BarColumns("open", "high", "low", "close"), 5)
        assert features.array(bars).shape == (4, 6)
        assert regimetry.rolling_windows(np.zeros((9, 2)), 4).shape == (6, 4, 2)
        regimetry.simulate("s2", n_rows=400)
        """,
        [*RESEARCH, "onnxruntime"],
    )


def test_tier_1_runs_a_model_with_onnxruntime_besides(model_path):
    assert_runs(
        """
        import sys
        import numpy as np
        import regimetry as rg
        model = rg.load(sys.argv[1])
        values = 100 + np.random.default_rng(0).standard_normal((50, 4))
        labels = model.predict(values)
        stream = model.stream()
        ticks = [stream.push(row) for row in values]
        assert [-1 if t is None else t.regime for t in ticks] == labels.tolist()
        for method in ("predict_proba", "embed", "novelty", "smooth"):
            getattr(model, method)(values)
        bank = model.bank(2)
        assert [len(bank.push([0, 1], rows).ids) for rows in values.reshape(25, 2, 4)][-1] == 2
        stream.restore(stream.snapshot())
        import regimetry.check.doctor
        loaded = {name.partition(".")[0] for name in sys.modules}
        assert not loaded & set(BLOCKED), loaded & set(BLOCKED)
        """,
        RESEARCH,
        str(model_path),
    )


def test_folders_are_labelled_without_tensorflow_and_name_what_they_lack(model_path, tmp_path):
    (tmp_path / "in").mkdir()
    code = """
        import sys
        import regimetry.scale
        from regimetry.errors import InstallError
        try:
            print(regimetry.scale.predict(sys.argv[2] + "/in", sys.argv[1], output=sys.argv[3]))
        except InstallError as error:
            print(error)
        """
    values = pa.array([1.0 + i % 7 for i in range(40)])
    pq.write_table(pa.table({f"x{i}": values for i in range(4)}), tmp_path / "in" / "bars.parquet")
    arguments = [str(model_path), str(tmp_path), str(tmp_path / "out")]
    allowed = {"pyarrow", "narwhals"}
    assert "'rows': 40" in assert_runs(code, [n for n in RESEARCH if n not in allowed], *arguments)
    assert "pip install 'regimetry[frames]'" in assert_runs(code, RESEARCH, *arguments)


FITTING = {"sklearn", "scipy", "onnx", "narwhals"}  # scikit-learn stands on the last


def test_tier_2_fits_saves_and_verifies_without_tensorflow(tmp_path):
    code = """
        import sys
        import numpy as np
        import regimetry as rg
        from regimetry.check.verify import verify
        from regimetry.errors import InstallError
        values = rg.simulate("s2", n_rows=400, seed=0).values
        detector = rg.RegimeDetector(window_size=10, n_regimes=2, random_state=0).fit(values)
        detector.save(sys.argv[1])
        labels = rg.load(sys.argv[1]).predict(values)
        assert (labels == detector.labels_).all() and len(set(labels.tolist())) == 3
        assert verify(sys.argv[1], runtimes=("onnxruntime", "reference")).problem is None
        for needs in (lambda: rg.RegimeDetector(window_size=10, objective="vamp2").fit(values),
                      lambda: detector.encoder_):
            try:
                needs()
            except InstallError as error:
                print(error)
        """
    blocked = [name for name in RESEARCH if name not in FITTING]
    first, second = assert_runs(code, blocked, str(tmp_path / "m.onnx")).splitlines()
    assert first.startswith("objective='vamp2', which trains the encoder, needs TensorFlow")
    assert second.startswith("The encoder as a Keras model needs TensorFlow")
    assert "pip install 'regimetry[train]'" in first
    result = run_blocked("import regimetry; regimetry.RegimeDetector", RESEARCH)
    assert "RegimeDetector needs sklearn, which is not installed. Run: pip" in result.stderr


def test_the_blocker_blocks():
    result = run_blocked("import regimetry.fit.learn", RESEARCH)
    assert result.returncode == 1
    assert "is blocked in this tier" in result.stderr


def test_import_loads_next_to_nothing():
    out = assert_runs(
        """
        import sys
        import numpy
        before = set(sys.modules)
        import regimetry
        print(sorted(set(sys.modules) - before))
        """,
        [*RESEARCH, "onnxruntime"],
    )
    added = set(eval(out))
    assert {name for name in added if "." in name and name.startswith("regimetry")} == set()
    assert len(added) < 5, added


@pytest.mark.parametrize("verb", VERBS)
def test_help_needs_no_extra_and_no_other_verb(verb):
    out = assert_runs(
        f"""
        import sys
        from regimetry.cli import VERBS, main
        try:
            main(["{verb}", "--help"])
        except SystemExit:
            print([name for name in VERBS if f"regimetry.cli.{{name}}" in sys.modules])
        """,
        [*RESEARCH, "onnxruntime"],
    )
    assert out.startswith("usage: regimetry")
    assert out.splitlines()[-1] == f"['{verb}']"


def test_a_checkout_without_the_extension_says_so(tmp_path):
    copy = tmp_path / "regimetry"
    shutil.copytree(
        ROOT / "regimetry", copy, ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__")
    )
    code = f"import sys; sys.meta_path = sys.meta_path[-3:]; sys.path.insert(0, {str(tmp_path)!r})"
    result = subprocess.run(
        [sys.executable, "-I", "-c", f"{code}; import regimetry; regimetry.load"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "is not built in" in result.stderr
    assert str(copy) in result.stderr


def test_every_public_name_resolves():
    import regimetry as rg

    assert len(rg.__all__) <= 15
    for name in rg.__all__:
        assert getattr(rg, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = rg.nothing
