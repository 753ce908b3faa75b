import signal
import subprocess
import sys

import numpy as np
import pytest

from regimetry.encoder import EncoderConfig, build_encoder
from regimetry.encoder.objectives.masked import MaskedReconstruction
from regimetry.encoder.seeding import seeded
from regimetry.encoder.training import TrainingOptions, train_encoder
from regimetry.windows import rolling_windows

OPTIONS = TrainingOptions(steps=40, round_steps=4, batch_size=16, learning_rate=0.01)


def test_an_interrupt_keeps_the_best_weights_so_far():
    values = np.sin(np.arange(300)[:, None] / np.array([5.0, 7.0])).astype(np.float32)
    seen = []

    def interrupt_later(step, losses):
        seen.append((losses["val_loss"], encoder.get_weights()))
        if step == 12:
            raise KeyboardInterrupt

    with seeded(0):
        encoder = build_encoder(
            EncoderConfig(window_size=8, num_features=2, head_size=8, num_heads=2, ff_dim=16)
        )
        with pytest.warns(UserWarning, match="interrupted in the round after step 12 of 40"):
            history = train_encoder(
                encoder,
                rolling_windows(values, 8),
                MaskedReconstruction(),
                OPTIONS,
                on_round=interrupt_later,
            )
    assert history["step"] == [4, 8, 12]
    _, best = min(seen, key=lambda entry: entry[0])
    for a, b in zip(encoder.get_weights(), best, strict=True):
        np.testing.assert_array_equal(a, b)


FIT = """
import sys, os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import regimetry as rg
from regimetry.encoder.training.state import TrainingState

# Says so after every round, for the one who sends the signal.
record = TrainingState.record
def record_and_say(*arguments):
    record(*arguments)
    print("round", flush=True)
TrainingState.record = record_and_say

config = rg.EncoderConfig(
    embedding_dim=8, head_size=8, num_heads=2, ff_dim=16, pooling="moments"
)
detector = rg.RegimeDetector(
    window_size=10,
    n_regimes=3, encoder=config, objective="masked", epochs=100000, n_landmarks=100, random_state=0
)
values = rg.simulate("s2", n_rows=600, seed=0).values
detector.fit(values)
print("fitted", detector.n_regimes_, len(detector.history_["loss"]), flush=True)

def wait(*arguments, **more):
    print("head", flush=True)
    while True:
        pass

sys.modules["regimetry.fit.learn"].fit_head = wait
detector.fit(values)
"""


def test_ctrl_c_ends_the_training_and_a_second_one_the_fit(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", FIT],
        text=True,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    lines = iter(process.stdout.readline, "")
    for _ in range(3):
        assert next(lines) == "round\n"
    process.send_signal(signal.SIGINT)
    fitted = next(line for line in lines if line != "round\n").split()
    assert fitted[:2] == ["fitted", "3"]
    assert int(fitted[2]) >= 3
    assert next(lines) == "round\n"
    process.send_signal(signal.SIGINT)
    assert any(line == "head\n" for line in lines)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=300)
    assert process.returncode != 0
    assert "Training was interrupted" in err
    assert err.splitlines()[-1].startswith("KeyboardInterrupt")
