"""The novelty benchmark finds states that training lacks, and can fail."""

import numpy as np

from benchmarks.novelty import judge, scores


def test_a_state_never_seen_is_flagged():
    found = scores("s2", 2, 30)
    assert found["detected"] > 0.8
    assert found["alarms"] < 0.15
    assert scores("s4", 1, 30)["detected"] > 0.7


def test_the_benchmark_can_fail():
    states = np.repeat([0, 1, 0], 100)
    blind = judge(np.random.default_rng(0).random(291), states, 1, 0.95)
    assert blind["detected"] < 0.3
    sharp = judge((states[9:] == 1).astype(float), states, 1, 0.5)
    assert (sharp["detected"], sharp["flagged"], sharp["alarms"]) == (1.0, 1.0, 0.0)
