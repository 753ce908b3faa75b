"""Each parameter is checked once, before any row is read, and comes to plain Python."""

from dataclasses import fields, replace

import numpy as np
import pytest
from encoders import FAST, fit_fast
from sklearn.model_selection import ParameterGrid

import regimetry as rg
from regimetry.encoder import EncoderConfig
from regimetry.errors import ConfigError, ModelError
from regimetry.fit.options import FitOptions
from regimetry.fit.source import PanelSource, panel_source
from regimetry.series.schema import Schema

PARAMETERS = rg.RegimeDetector().get_params(deep=False)


class Unread:
    """Columns whose rows must not be asked for."""

    schema = Schema.numeric(("a", "b"))
    by = None

    def measured(self):
        raise AssertionError("the rows were read")

    sample = lagged_sums = measured


def test_rows_are_read_where_every_parameter_is_allowed():
    with pytest.raises(AssertionError, match="the rows were read"):
        rg.RegimeDetector().fit(Unread())


@pytest.mark.parametrize("value", [Ellipsis, -1.5, ["x", 1], float("nan"), "no such", {}], ids=repr)
@pytest.mark.parametrize("name", PARAMETERS)
def test_a_wrong_value_is_refused_by_name_before_a_row_is_read(name, value):
    with pytest.raises((ConfigError, ModelError)) as caught:
        rg.RegimeDetector(**{name: value}).fit(Unread())
    if (name, value) != ("align_to", "no such"):  # a path
        assert str(caught.value).startswith(f"{name} is ")


def test_a_message_says_what_is_allowed():
    for parameters, message in (
        ({"window_size": 1}, "window_size is 1; it must be 'auto' or an integer of at least 2."),
        ({"window_size": True}, "window_size is True; it must be"),
        ({"n_regimes": 2.0}, "n_regimes is 2.0; it must be 'auto' or an integer of at least 1."),
        ({"epochs": 0}, "epochs is 0; it must be None or an integer of at least 1."),
        ({"objective": "magic"}, "objective is 'magic'; it must be None or one of 'vamp2', 'mas"),
        ({"difference": "often"}, "difference is 'often'; it must be 'auto', 'none' or a list of"),
        ({"difference": ["c"]}, "difference names c, which the data do not have"),
        ({"jump_penalty": np.inf}, "jump_penalty is inf; it must be 'auto' or a finite number of"),
        ({"opset": np.int64(16)}, "opset is 16; it must be one of 17, 18."),
        ({"scaling": "none"}, "scaling is 'none'; it must be one of 'instrument', 'pooled'."),
        ({"deterministic": 1}, "deterministic is 1; it must be True or False."),
        ({"random_state": 2**32}, "random_state is 4294967296; it must be None"),
        ({"encoder": "big"}, "encoder is 'big'; it must be an EncoderConfig, 'pretrained', 'auto'"),
    ):
        with pytest.raises(ConfigError) as caught:
            rg.RegimeDetector(**parameters).fit(Unread())
        assert str(caught.value).startswith(message)


def as_numpy(value):
    return value if value is None or isinstance(value, EncoderConfig) else np.array(value)[()]


def test_values_of_numpy_become_plain_python():
    plain = FitOptions(categorical=("a",), difference=("a", "b"), jump_penalty=0.5, min_dwell=4,
                       objective="masked", epochs=3, deterministic=True)  # fmt: skip
    made = FitOptions(**{name: as_numpy(value) for name, value in vars(plain).items()})
    config = EncoderConfig(**{name: as_numpy(value) for name, value in FAST.to_dict().items()})
    for found, expected in ((made, plain), (config, FAST)):
        assert found == expected
        for entry in fields(found):
            value, wanted = getattr(found, entry.name), getattr(expected, entry.name)
            assert type(value) is type(wanted), entry.name
            assert not isinstance(value, tuple) or {type(one) for one in value} == {str}


def test_a_grid_of_numpy_values_fits_and_saves(tmp_path):
    values = rg.simulate("s2", n_rows=400, seed=0).values
    grid = ParameterGrid(
        {
            "window_size": np.arange(8, 9),
            "n_regimes": np.array([2]),
            "jump_penalty": np.linspace(1, 1, 1),
            "evidence": np.array(["window"]),
            "difference": [np.array(["x1"])],
            "n_landmarks": np.array([60]),
            "deterministic": np.array([False]),
            "encoder": [replace(FAST, num_heads=np.int64(1), dropout=np.float32(0.5))],
            "random_state": np.arange(1),
        }
    )
    for parameters in grid:
        rg.RegimeDetector(**parameters).fit(values).save(tmp_path / "m.onnx")
        contract = rg.load(tmp_path / "m.onnx").contract
        assert contract.n_regimes == 2
        recorded = contract.training.configuration
        assert (recorded["window_size"], recorded["difference"]) == (8, ["x1"])
        assert recorded["encoder"]["dropout"] == 0.5


class Counted(PanelSource):
    """A panel that counts the passes over all its rows."""

    passes = 0

    def measured(self):
        Counted.passes += 1
        return super().measured()


@pytest.mark.parametrize("rows", [400, 2100], ids=["two sizes", "more"])
def test_a_window_size_is_chosen_on_one_measurement(rows):
    made = panel_source(rg.simulate("s2", n_rows=rows, seed=1).values)
    Counted.passes = 0
    measured = Counted(made.panel, made.schema)
    detector = fit_fast(measured, window_size="auto", n_regimes=2, n_landmarks=60)
    assert Counted.passes == 1
    tried = {entry.window_size for entry in detector.candidates_}
    assert tried == {10, 20, *([] if rows == 400 else [40, 80])}
