"""Alarms of novelty: how many, and how often."""

from dataclasses import replace

import numpy as np
import pytest

from regimetry.analysis import novelty_alarms
from regimetry.analysis.alarms import training_alarms

DAYS = np.datetime64("2020-01-01") + np.arange(10)
NOVEL = np.array([0, 0, 1, 1, 0, 1, 1, 1, 0, 1], dtype=bool)
LABELS = np.array([-1, 0, 0, 0, 0, 0, 0, 0, 0, 0])


def test_a_flag_that_stays_up_is_one_alarm():
    found = novelty_alarms(NOVEL, LABELS, times=DAYS)
    assert (found.count, found.rows) == (3, 9)
    assert found.share == pytest.approx(6 / 9)
    assert found.seconds == 8 * 86400
    assert found.per_day == pytest.approx(3 / 8)
    assert found.words("sample") == "3 alarms, 2.62 a week"
    assert found.to_dict()["per_day"] == found.per_day


def test_a_flag_after_a_gap_is_a_new_alarm():
    breaks = np.arange(10) == 6
    assert novelty_alarms(NOVEL, LABELS, breaks=breaks).count == 4
    without = np.where(np.arange(10) == 6, -1, LABELS)
    assert novelty_alarms(NOVEL & (without >= 0), without).count == 4


def test_without_dates_alarms_are_counted_by_rows():
    for times in (None, np.arange(10)):
        found = novelty_alarms(NOVEL, LABELS, times=times)
        assert found.per_day is None
        assert found.words("sample") == "3 alarms, 333 per 1000 samples"
    nothing = novelty_alarms(NOVEL & False, np.full(10, -1), times=DAYS)
    assert nothing.words("row") == "0 alarms, 0 per 1000 rows"
    assert nothing.to_dict()["share"] is None
    assert novelty_alarms(NOVEL[:1], LABELS[1:2], times=DAYS[:1]).per_day is None


def test_the_file_counts_those_of_training(detector, values):
    contract = detector.model_.contract
    assert (
        contract.training.alarms
        == novelty_alarms(detector.model_.novel(values), detector.labels_).count
    )
    assert training_alarms(contract).per_day is None
    record = replace(contract.training, alarms=4, step=60.0, start="2020-01-01", end="2020-01-03")
    found = training_alarms(replace(contract, training=record))
    assert found.per_day == 2.0
    old = replace(contract.training, alarms=None)
    assert training_alarms(replace(contract, training=old)) is None
