"""Two fresh processes, the same bits: weights, loss curves and model file."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import regimetry as rg
from regimetry.errors import ConfigError

FIT = """
import hashlib, json, sys
import regimetry as rg
config = rg.EncoderConfig(
    embedding_dim=16, head_size=16, num_heads=2, ff_dim=32, pooling="attention",
    encoding_method="learnable", num_transformer_blocks=1,
)
values = rg.simulate("s2", n_rows=500, seed=0).values
detector = rg.RegimeDetector(
    window_size=10,
    n_regimes=2, encoder=config, objective="masked", epochs=2, n_landmarks=150, deterministic=True,
    random_state=int(sys.argv[1]),
).fit(values)
by_default = rg.RegimeDetector(
    window_size=10,
    n_regimes=2, encoder=config, objective="masked", epochs=1, n_landmarks=150, random_state=7
).fit(values)
weights = b"".join(w.tobytes() for w in detector.encoder_.get_weights())
training = detector.model_.contract.training
print(json.dumps({
    "weights": hashlib.sha256(weights).hexdigest(),
    "file": hashlib.sha256(detector.model_.content).hexdigest(),
    "history": detector.history_,
    "in_file": {name: getattr(training, name) for name in ("seed", "history", "versions")},
    "deterministic": training.configuration["deterministic"],
    "file by default": hashlib.sha256(by_default.model_.content).hexdigest(),
}))
"""


def _fit(seed, hash_seed, folder):
    done = subprocess.run(
        [sys.executable, "-c", FIT, str(seed)],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,  # not the checkout, whose regimetry has no built extension
        # The hash seed orders sets, those of tf2onnx too.
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    return json.loads(done.stdout)


def test_two_processes_give_the_same_bits(tmp_path):
    first, second = (_fit(7, hash_seed, tmp_path) for hash_seed in ("1", "2"))
    assert first == second  # another seed gives another file: tests/fit/test_detector.py
    # What the file says of it.
    assert first["deterministic"] is True
    assert first["in_file"]["seed"] == 7
    assert first["in_file"]["history"] == first["history"]
    assert all(np.isfinite(first["history"][name]).all() for name in ("loss", "val_loss"))
    assert len(first["history"]["val_loss"]) >= 1
    assert {"keras", "numpy", "tensorflow"} <= first["in_file"]["versions"].keys()


def test_deterministic_is_true_or_false():
    with pytest.raises(ConfigError, match="deterministic is 'yes'; it must be True or False"):
        rg.RegimeDetector(window_size=10, deterministic="yes").fit(np.zeros((50, 2)))
