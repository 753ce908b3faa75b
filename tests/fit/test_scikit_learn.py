"""What scikit-learn expects of an estimator, and where a series is something else."""

import numpy as np
import pandas as pd
import pytest
from encoders import FAST
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import regimetry as rg
from regimetry.encoder import EncoderConfig

TINY = EncoderConfig(embedding_dim=4, num_transformer_blocks=0, pooling="moments")

IN_ORDER = "rows are a series in time order, and a label uses the rows before it"
OWN_WORDS = "it is refused with a DataError, a ValueError, in words of our own"
FEW = "a score needs a density, and that 30 windows for each regime"
EXPECTED = {
    "check_methods_sample_order_invariance": IN_ORDER,
    "check_methods_subset_invariance": IN_ORDER,
    "check_clustering": IN_ORDER + "; the check shuffles them, and wants a label for the first",
    "check_n_features_in_after_fitting": OWN_WORDS,
    "check_complex_data": OWN_WORDS,
    "check_dtype_object": "objects are refused: no number is guessed from them",
    "check_estimators_empty_data_messages": OWN_WORDS,
    "check_estimators_nan_inf": OWN_WORDS,
    "check_estimator_sparse_tag": OWN_WORDS,
    "check_estimator_sparse_array": OWN_WORDS,
    "check_estimator_sparse_matrix": OWN_WORDS,
    "check_fit2d_1sample": OWN_WORDS,
    "check_fit_score_takes_y": FEW,
    "check_pipeline_consistency": FEW,
    "check_fit2d_predict1d": OWN_WORDS,
}


def tiny():
    return rg.RegimeDetector(
        window_size=3,
        n_regimes=2,
        encoder=TINY,
        n_landmarks=50,
        evidence="window",
        difference="none",
        random_state=0,
    )


@parametrize_with_checks([tiny()], expected_failed_checks=lambda _: EXPECTED)
@pytest.mark.filterwarnings("ignore")
def test_check_estimator(estimator, check):
    check(estimator)


def test_transform_gives_a_row_a_bar_in_the_container_that_is_asked_for(values):
    detector = rg.RegimeDetector(window_size=10, encoder=FAST, n_regimes=2, random_state=0)
    found = detector.fit_transform(values)
    assert found.shape == (len(values), 24)
    assert np.isnan(found[:10]).all()
    np.testing.assert_array_equal(found[10:], detector.embeddings_)
    names = detector.get_feature_names_out().tolist()
    assert names == [f"e{i}" for i in range(24)]
    frame = detector.set_output(transform="pandas").transform(values)
    assert isinstance(frame, pd.DataFrame)
    assert frame.columns.tolist() == names
    np.testing.assert_array_equal(frame.to_numpy(), found)


def test_it_is_a_step_of_a_pipeline(values):
    steps = make_pipeline(StandardScaler(), tiny())
    labels = steps.fit_predict(values)
    assert labels.shape == (len(values),)
    assert set(labels.tolist()) == {-1, 0, 1}


@pytest.mark.parametrize("seed", range(4))
def test_windows_of_two_rows_pass_the_comparison_of_the_fit(seed):
    """The autocorrelation of two rows is constant but for rounding, which must not count."""
    values = np.random.default_rng(seed).standard_normal((30, 3))
    detector = tiny().set_params(window_size=2).fit(values)
    assert detector.parity_.differences["distance"] < 1e-4
