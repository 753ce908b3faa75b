"""What is said of a model's answer: why this one, and what is odd about it."""

from dataclasses import replace

import pytest

from regimetry.contract import Candidate, KnownRecord, TrainingRecord
from regimetry.contract.remarks import agreement_with_states, reason, remarks


@pytest.fixture
def contract(model):
    """Of three sound regimes on a long series."""
    regimes = tuple(replace(one, spells=20, mean_dwell=90.0) for one in model.contract.regimes)
    return replace(model.contract, regimes=regimes, training=TrainingRecord(rows=5400))


def test_nothing_is_odd(contract):
    assert remarks(contract) == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"spells": 1}, "regime_0, regime_1, regime_2: one spell alone"),
        ({"mean_dwell": 3.0}, "changes every 3.0 rows: this is noise"),
        ({"mean_dwell": 8.0}, "a spell lasts 8 rows in the mean, less than a window of 10"),
        ({"share": 0.0}, "no row of training is in regime_0, regime_1, regime_2"),
    ],
)
def test_odd_regimes_are_said(contract, change, said):
    odd = replace(contract, regimes=tuple(replace(one, **change) for one in contract.regimes))
    assert said in remarks(odd)[0]


def test_a_short_series_and_one_regime_are_said(contract):
    short = replace(contract, training=TrainingRecord(rows=300))
    (said,) = remarks(short)
    assert said.startswith("the series holds 30 windows of 10 side by side; 60 would say more")
    one = replace(contract, regimes=contract.regimes[:1])
    assert remarks(one) == ("the series shows one regime alone",)
    first, second = remarks(replace(one, training=TrainingRecord(rows=300)))
    assert (first, second) == ("the series shows one regime alone", said)
    given = TrainingRecord(rows=5400, configuration={"n_regimes": 1})
    assert remarks(replace(one, training=given)) == ()


def test_more_regimes_than_the_windows_carry_are_said_and_not_all_named(contract):
    many = tuple(replace(contract.regimes[0], name=f"r{i}", spells=1) for i in range(12))
    crowd, few, once = remarks(replace(contract, regimes=many, training=TrainingRecord(rows=300)))
    assert crowd == (
        "12 regimes share 30 windows of 10 side by side, less than 3 each: give a smaller n_regimes"
    )
    assert few.startswith("the series holds 30 windows")
    assert once.startswith("r0, r1, r2 and 9 more: one spell alone")
    fewer = replace(contract, regimes=many[:10], training=TrainingRecord(rows=300))
    assert not any("share" in said for said in remarks(fewer))


def test_segments_that_windows_do_not_tell_apart_are_said(contract):
    table = (Candidate(window_size=10, n_regimes=3, segments=4, reproduced=0.5, chosen=True),)
    (said,) = remarks(replace(contract, training=TrainingRecord(rows=5400, candidates=table)))
    assert "agree with the segments that it was fitted on by 0.50" in said


def test_agreement_with_states_is_said(contract):
    counts = ((9, 0, 0), (1, 20, 0), (0, 0, 0))
    known = KnownRecord(
        states=("idle", "load", "rare"),
        rows=30,
        counts=counts,
        mapping=(0, 1, -1),
        share=29 / 30,
        adjusted_rand=0.9,
    )
    assert agreement_with_states(contract) is None
    told = replace(contract, training=replace(contract.training, known=known), unit="sample")
    assert agreement_with_states(told) == (
        "Of 30 samples whose state was known, 97% are in the regime of their state (adjusted Rand "
        "index 0.90): idle 90% of 10, load 100% of 20, rare none."
    )


def test_the_reason_names_the_next_best(contract):
    own = Candidate(window_size=10, n_regimes=3, score=0.5, chosen=True)
    near = Candidate(window_size=20, n_regimes=2, score=0.4, refused="K = 3 scores 0.50")
    loose = Candidate(window_size=20, n_regimes=4, score=0.9, refused="noise does so too")

    def why(*table):
        return reason(replace(contract, training=TrainingRecord(candidates=table)))

    first = "3 regimes with windows of 10 score 0.50; "
    assert why(own, near, loose) == f"{first}the next best, 2 regimes with windows of 20, 0.40."
    assert why(own, loose) == (
        f"{first}4 regimes with windows of 20 would score 0.90, but noise does so too."
    )
    one = Candidate(window_size=10, n_regimes=1, score=0.0, chosen=True)
    worse = Candidate(window_size=10, n_regimes=7, score=-0.01, refused="one regime scores more")
    assert why(one, loose, worse) == (
        "One regime with windows of 10; 4 regimes with windows of 20 would score 0.90, but noise "
        "does so too."
    )
    assert why(own) == f"{first}nothing else was compared."
    assert why() is None
    assert why(replace(own, score=None)) is None
