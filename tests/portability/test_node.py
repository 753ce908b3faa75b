"""The tables that the example of onnxruntime-node reads and writes."""

import io

import numpy as np
import pandas as pd

import regimetry as rg


def test_a_table_gets_the_labels_that_predict_gives(regimes, model, csv, bars):
    result = regimes(model, csv)
    assert result.returncode == 0, result.stderr
    labels = pd.read_csv(io.StringIO(result.stdout), index_col="date", parse_dates=True)
    expected = rg.load(model).label(bars)
    assert labels.index.equals(bars.index)
    assert labels["regime"].nunique() == 3
    same_regimes(labels["regime"].fillna(-1).to_numpy(), expected.regime)
    np.testing.assert_allclose(labels["novelty"], expected.novelty, rtol=1e-3)


def same_regimes(found, expected):
    """Windows as far from one centroid as from another may fall either way: one in a thousand."""
    assert np.mean(found == expected.fillna(-1).to_numpy()) >= 0.999


def test_the_documented_recursion_is_the_one_that_runs(request):
    root = request.config.rootpath
    text = (root / "docs" / "portability.md").read_text()
    lines = text.partition("```js\n")[2].partition("```")[0].splitlines()
    source = (root / "examples" / "javascript" / "regimes.mjs").read_text()
    assert len(lines) == 3
    assert "\n".join(f"    {line}" for line in lines) in source


def test_a_table_that_does_not_fit_is_refused(regimes, model, tmp_path):
    for table, reason in (
        ("date,close\n2020-01-01,1\n", "The table lacks range; the model reads close, range."),
        ("date,close,range\n2020-01-01,1\n", "Row 1 has 2 fields; the header has 3."),
        ("close,range\n1,x\n", 'Row 1, column range holds "x", which is no number.'),
        ("close,range\n1,\n", 'Row 1, column range holds "", which is no number.'),
        ("close,range\n1,1\n0,1\n", "Row 2 holds 0 where the model takes the logarithm."),
        ("close,range\n1,1\n", "The table has 1 rows; the model reads 37 at once."),
        ("close,range\n", "The table has no rows."),
    ):
        path = tmp_path / "bars.csv"
        path.write_text(table)
        result = regimes(model, path)
        assert (result.returncode, result.stdout, result.stderr.strip()) == (1, "", reason)


def test_columns_are_found_by_name_and_quotes_are_read(regimes, model, csv, bars, tmp_path):
    path = tmp_path / "other.csv"
    bars.iloc[:, ::-1].assign(note='a "b", c').to_csv(path)
    assert regimes(model, path).stdout == regimes(model, csv).stdout


def test_files_that_are_no_models_and_other_arguments_are_refused(regimes, model, csv, tmp_path):
    path = tmp_path / "other.onnx"
    short = "The file is no ONNX model, or it is cut short.\n"
    for content, said in (
        (b"", "The file "),
        (b"close,range\n1,2\n", "The file "),
        (b"\x0a\xff\xff\xff\xff\x0f", "The file "),
        (model.read_bytes()[:-1000], short),
    ):
        path.write_bytes(content)
        result = regimes(path, csv)
        assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
        assert result.stderr.startswith(said)
    result = regimes(model)
    assert result.returncode == 2
    assert result.stderr.startswith("usage: ")
