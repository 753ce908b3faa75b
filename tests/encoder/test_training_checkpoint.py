import json
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


def train(name, folder=None, *, die_at=None, options=OPTIONS, seed=0, values=VALUES, head_size=8):
    def on_round(step, losses):
        if step == die_at:
            raise KilledError

    config = replace(FAST, window_size=8, num_features=3, head_size=head_size, look_ahead_mask=True)
    arguments = {"seed": seed, "checkpoint": folder, "on_round": on_round}
    with seeded(0):
        encoder = build_encoder(config)
        windows = rolling_windows(values, 8)
        history = train_encoder(encoder, windows, OBJECTIVES[name](8), options, **arguments)
    return encoder.get_weights(), history


@pytest.mark.parametrize(
    ("name", "compiled"), [*((name, False) for name in OBJECTIVES), ("masked", True)]
)
def test_a_resumed_training_ends_with_the_weights_of_one_never_stopped(
    name, compiled, tmp_path, monkeypatch
):
    """And so a training repeats, to the bit, with its dropout."""
    if compiled:
        monkeypatch.setattr(loop, "_WORTH_COMPILING", 0)
    weights, history = train(name)
    with pytest.raises(KilledError):
        train(name, tmp_path / "new" / "folder", die_at=8)
    resumed, history_resumed = train(name, tmp_path / "new" / "folder")
    assert history_resumed == history
    for a, b in zip(resumed, weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_it_really_went_on(tmp_path):
    with pytest.raises(KilledError):
        train("masked", tmp_path, die_at=12)
    options = replace(OPTIONS, steps=24)
    with pytest.raises(KilledError):
        train("masked", tmp_path, die_at=24, options=options)
    with np.load(tmp_path / "training.npz") as file:
        facts = json.loads(str(file["facts"]))
    assert facts["history"]["step"] == [4, 8, 12, 16, 20, 24]
    # All steps are done: nothing is trained any more.
    _, history = train("masked", tmp_path, die_at=4, options=options)
    assert history == facts["history"]


def test_dropout_goes_on_where_it_stood(tmp_path):
    """Without the random state of dropout the twin test above would fail; show that it has one."""
    with pytest.raises(KilledError):
        train("masked", tmp_path, die_at=8)
    weights, _ = train("masked")
    path = tmp_path / "training.npz"
    with np.load(path) as file:
        arrays = dict(file)
    states = [n for n, value in arrays.items() if n[:6] == "model_" and value.dtype.kind in "iu"]
    assert states
    for name in states:
        arrays[name] = arrays[name] + arrays[name].dtype.type(1)
    np.savez(path, **arrays)
    resumed, _ = train("masked", tmp_path)
    assert any(not np.array_equal(a, b) for a, b in zip(resumed, weights, strict=True))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"seed": 1}, "whose seed is 0; this one's is 1"),
        ({"name": "vicreg"}, "objective"),
        ({"values": VALUES + 1}, "data"),
        ({"options": TrainingOptions(steps=20, round_steps=5, batch_size=16)}, "round_steps is 4"),
        ({"options": TrainingOptions(steps=20, round_steps=4)}, "batch_size is 16"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(tmp_path, other, message):
    with pytest.raises(KilledError):
        train("masked", tmp_path, die_at=4)
    with pytest.raises(ConfigError, match=message):
        train(**({"name": "masked"} | other), folder=tmp_path)


def test_a_damaged_checkpoint_and_one_of_another_encoder_say_so(tmp_path):
    with pytest.raises(KilledError):
        train("masked", tmp_path, die_at=4)
    with pytest.raises(ModelError, match="another encoder"):
        train("masked", tmp_path, head_size=4)
    path = tmp_path / "training.npz"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ModelError, match="cannot be read as a checkpoint"):
        train("masked", tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["training.npz"]
