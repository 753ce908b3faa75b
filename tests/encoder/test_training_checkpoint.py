import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from encoders import FAST

from regimetry.encoder import build_encoder
from regimetry.encoder.objectives import OBJECTIVES
from regimetry.encoder.seeding import seeded
from regimetry.encoder.training import TrainingOptions, loop, train_encoder
from regimetry.errors import ConfigError, ModelError
from regimetry.windows import rolling_windows

VALUES = np.random.default_rng(0).standard_normal((300, 3)).astype(np.float32).cumsum(axis=0) / 9
OPTIONS = TrainingOptions(steps=20, round_steps=4, batch_size=16, patience=9)


class KilledError(Exception):
    pass


def train(name, folder, at=None, then=None, *, options=OPTIONS, seed=0, values=VALUES, head_size=8):
    """Train with a checkpoint in a folder; ``then`` is called when step ``at`` is saved."""

    def on_round(step, losses):
        if step == at:
            then()

    config = replace(FAST, window_size=8, num_features=3, head_size=head_size, look_ahead_mask=True)
    arguments = {"seed": seed, "checkpoint": folder, "on_round": on_round}
    with seeded(0):
        encoder = build_encoder(config)
        windows = rolling_windows(values, 8)
        history = train_encoder(encoder, windows, OBJECTIVES[name](8), options, **arguments)
    return encoder.get_weights(), history


def train_and_copy(name, folder):
    """Train to the end; return what that gives, and a copy of the checkpoint of step 8."""
    whole, copied = folder / "new" / "folder", folder / "copied"
    return *train(name, whole, 8, lambda: shutil.copytree(whole, copied)), copied


@pytest.fixture(scope="module")
def masked(tmp_path_factory):
    return train_and_copy("masked", tmp_path_factory.mktemp("masked"))


@pytest.fixture
def stopped(masked, tmp_path):
    """The checkpoint of step 8, to be gone on from."""
    return shutil.copytree(masked[2], tmp_path / "stopped")


@pytest.mark.parametrize(
    ("name", "compiled"), [*((name, False) for name in OBJECTIVES), ("masked", True)]
)
def test_a_resumed_training_ends_with_the_weights_of_one_never_stopped(
    name, compiled, masked, tmp_path, monkeypatch
):
    """And so a training repeats, to the bit, with its dropout."""
    if compiled:
        monkeypatch.setattr(loop, "_WORTH_COMPILING", 0)
    known = name == "masked" and not compiled
    weights, history, copied = masked if known else train_and_copy(name, tmp_path)
    resumed, history_resumed = train(name, shutil.copytree(copied, tmp_path / "resumed"))
    assert history_resumed == history
    for a, b in zip(resumed, weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_it_really_went_on(stopped):
    def die():
        raise KilledError

    options = replace(OPTIONS, steps=24)
    with pytest.raises(KilledError):
        train("masked", stopped, 24, die, options=options)
    with np.load(stopped / "training.npz") as file:
        facts = json.loads(str(file["facts"]))
    assert facts["history"]["step"] == [4, 8, 12, 16, 20, 24]
    # All steps are done: nothing is trained any more.
    _, history = train("masked", stopped, 4, die, options=options)
    assert history == facts["history"]


def test_dropout_goes_on_where_it_stood(masked, stopped):
    """Without the random state of dropout the twin test above would fail; show that it has one."""
    path = stopped / "training.npz"
    with np.load(path) as file:
        arrays = dict(file)
    states = [n for n, value in arrays.items() if n[:6] == "model_" and value.dtype.kind in "iu"]
    assert states
    for name in states:
        arrays[name] = arrays[name] + arrays[name].dtype.type(1)
    np.savez(path, **arrays)
    _, history = train("masked", stopped)
    assert history != masked[1]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"seed": 1}, "whose seed is 0; this one's is 1"),
        ({"name": "vicreg"}, "objective"),
        ({"values": VALUES + 1}, "data"),
        ({"options": replace(OPTIONS, round_steps=5)}, "round_steps is 4"),
        ({"options": replace(OPTIONS, batch_size=64)}, "batch_size is 16"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(stopped, other, message):
    with pytest.raises(ConfigError, match=message):
        train(**({"name": "masked"} | other), folder=stopped)


def test_a_damaged_checkpoint_and_one_of_another_encoder_say_so(stopped):
    with pytest.raises(ModelError, match="another encoder"):
        train("masked", stopped, head_size=4)
    path = stopped / "training.npz"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ModelError, match="cannot be read as a checkpoint"):
        train("masked", stopped)
    assert [p.name for p in stopped.iterdir()] == ["training.npz"]
