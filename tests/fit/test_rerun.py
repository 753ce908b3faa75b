"""The same data and seed give the same regimes in several threads.

In other processes: tests/encoder/test_determinism.py.
"""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from encoders import fit_fast

import regimetry as rg

FIT = """
import dataclasses, json, os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import regimetry as rg
config = rg.EncoderConfig(embedding_dim=8, head_size=8, num_heads=2, ff_dim=16, pooling="moments",
                          num_transformer_blocks=1)
values = rg.simulate("s4", n_rows=400, seed=0).values
detector = rg.RegimeDetector(
    window_size=10, n_regimes="auto", encoder=config, n_landmarks=100, random_state=3
)
detector.fit(values)
table = [dataclasses.asdict(candidate) for candidate in detector.candidates_]
print(json.dumps([detector.labels_.tolist(), table]))
"""


def in_a_process(folder, **environment):
    out = subprocess.run(
        [sys.executable, "-c", FIT],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,  # not the checkout, whose regimetry has no built extension
        env={**os.environ, **environment},
    ).stdout
    return json.loads(out)


def test_other_numbers_of_threads_give_the_same_regimes(tmp_path):
    one = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    two = {name: "2" for name in one}
    first, threaded = (in_a_process(tmp_path, **env) for env in (one, two))
    assert threaded[0] == first[0]  # sums may round otherwise; the labels are the same
    for entry, other in zip(threaded[1], first[1], strict=True):
        assert entry["chosen"] == other["chosen"]
        assert np.isclose(entry["score"], other["score"], atol=1e-3)


def test_fits_side_by_side_do_not_disturb_each_other():
    values = rg.simulate("s2", n_rows=400, seed=0).values

    def fit(seed):
        return fit_fast(values, n_regimes=3, random_state=seed)

    alone = [fit(seed) for seed in (0, 1)]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(fit, (0, 1)))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.labels_, other.labels_)
        np.testing.assert_array_equal(one.embeddings_, other.embeddings_)
