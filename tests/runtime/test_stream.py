import numpy as np
import pytest

from regimetry.errors import DataError

WARM_UP = 10  # window 10, and one row for the difference


def test_streaming_equals_batch_at_every_prefix(model, values):
    stream, labels = model.stream(), model.label(values)
    embeddings = model.embed(values)
    for t, row in enumerate(values):
        tick = stream.push(row)
        if t < WARM_UP:
            assert tick is None
            continue
        assert tick.regime == labels.regime[t]
        np.testing.assert_allclose(tick.probability, labels.probability[t], atol=1e-5)
        np.testing.assert_allclose(tick.novelty, labels.novelty[t], atol=1e-5)
        np.testing.assert_allclose(tick.embedding, embeddings[t - WARM_UP], atol=1e-5)
    assert stream.count == len(values)


def test_a_reset_stream_is_a_new_one(model, values):
    stream = model.stream()
    first = [stream.push(row) for row in values[:40]]
    stream.reset()
    assert stream.count == 0
    again = [stream.push(row) for row in values[:40]]
    assert [t and t.regime for t in first] == [t and t.regime for t in again]


def test_rows_come_by_name_or_by_position(model, values):
    by_name, by_position = model.stream(), model.stream()
    for row in values[:15]:
        named = dict(zip(("x3", "x1", "x0", "x2"), row[[3, 1, 0, 2]], strict=True))
        a, b = by_name.push(named), by_position.push(row.tolist())
    np.testing.assert_array_equal(a.embedding, b.embedding)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([1.0, 2.0], r"shape \(2,\); the model reads 4"),
        ([1.0, np.nan, 1.0, 1.0], "'x1' of the row holds nan"),
        (["a", 1, 1, 1], "not a number"),
        ({"x0": 1.0}, "lacks 'x1', 'x2', 'x3'"),
        ([0.0, 0.0, 0.0, -1.0], "column 'x3' is not positive"),
    ],
)
def test_a_bad_row_is_refused_and_forgotten(model, values, row, message):
    stream, clean = model.stream(), model.stream()
    for good in values[:20]:
        stream.push(good)
        clean.push(good)
    with pytest.raises(DataError, match=message):
        stream.push(row)
    assert stream.count == 20
    np.testing.assert_array_equal(
        stream.push(values[20]).embedding, clean.push(values[20]).embedding
    )
