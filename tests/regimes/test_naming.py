"""Names of regimes: what they were like in training, or the user's own; refits keep them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import regimetry as rg
from regimetry.errors import ConfigError, RegimeWarning
from regimetry.regimes.naming import automatic_names, named
from regimetry.series.schema import Schema


def made(contract, transforms, rows, columns=None):
    """A contract of regimes, each share, mean spell, and mean and deviation of every channel."""
    regimes = [
        replace(contract.regimes[0], name=f"regime_{i}", share=share, mean_dwell=float(dwell),
                mean=tuple(mean), deviation=tuple(deviation))
        for i, (share, dwell, mean, deviation) in enumerate(rows)
    ]  # fmt: skip
    columns = columns or [f"x{i}" for i in range(len(transforms))]
    return replace(
        contract, regimes=tuple(regimes), transforms=transforms, schema=Schema.numeric(columns)
    )


@pytest.fixture
def market(model):
    """A price among others: calm and up, as all bars and nowhere, turbulent and down."""
    return made(model.contract, ("level", "log_difference", "log_difference"), [
        (0.5, 25, (0, 9, 0.0004), (1, 9, 0.006)),
        (0.35, 25, (0, 9, 0.0001), (1, 9, 0.012)),
        (0.15, 25, (0, 9, -0.001), (1, 9, 0.025)),
    ], ["range", "volume", "Close"])  # fmt: skip


@pytest.fixture
def machine(model):
    """Three pressures, and a flow that is low in the third of them."""
    return made(model.contract, ("level", "level", "difference"), [
        (0.4, 9, (0.0, 0.0, 0.0), (1, 1, 1)),
        (0.3, 9, (5.0, 0.0, 0.0), (1, 1, 1)),
        (0.3, 9, (3.0, -4.0, 0.0), (1, 1, 1)),
    ], ["pressure", "flow", "level"])  # fmt: skip


def test_a_price_is_called_by_its_returns(market):
    assert automatic_names(market) == ["calm rise", "sideways", "turbulent fall"]
    # A fall that is no more than a tenth of the deviation of a spell is none.
    shorter = [replace(one, mean_dwell=2.0) for one in market.regimes]
    less = automatic_names(replace(market, regimes=tuple(shorter)))
    assert less == ["calm sideways", "sideways", "turbulent sideways"]


def test_other_data_are_called_by_the_channel_that_sets_them_apart(machine):
    assert automatic_names(machine) == ["low pressure", "high pressure", "low flow"]
    steady = replace(machine, transforms=("level", "difference", "difference"))
    assert automatic_names(steady)[2] == "falling flow"
    between = [replace(one, mean=(*one.mean[:1], 0.0, 0.0)) for one in machine.regimes]
    assert automatic_names(replace(machine, regimes=tuple(between)))[2] == "middle pressure"


def test_differences_rise_and_deviations_are_unsteady(model):
    contract = made(model.contract, ("difference", "level"), [
        (0.5, 9, (-2.0, 0.0), (1.0, 1.0)), (0.25, 9, (3.0, 0.0), (1.0, 1.0)),
        (0.25, 9, (0.3, 0.0), (1.0, 30.0)),
    ], ["tank", "noise"])  # fmt: skip
    assert automatic_names(contract) == ["falling tank", "rising tank", "unsteady noise"]
    volatile = made(model.contract, ("level",), [
        (0.3, 9, (0.0,), (1.0,)), (0.4, 9, (0.0,), (3.0,)), (0.3, 9, (0.0,), (9.0,))
    ])  # fmt: skip
    assert automatic_names(volatile) == ["steady x0", "moderate x0", "unsteady x0"]


def test_the_shipped_model_has_the_names_that_the_page_says(shipped):
    assert automatic_names(shipped.contract) == ["rise", "calm rise", "turbulent fall"]


def test_two_of_a_kind_get_numbers_and_none_apart_stays_a_number(model):
    contract = made(model.contract, ("log_difference",), [
        (0.5, 25, (0.001,), (0.01,)), (0.5, 25, (0.001,), (0.011,))
    ])  # fmt: skip
    assert [one.name for one in named(contract, "auto").regimes] == ["rise", "rise 2"]
    alike = made(model.contract, ("level",), [(0.5, 9, (0.0,), (1.0,)), (0.5, 9, (0.1,), (1.0,))])
    assert [one.name for one in named(alike, "auto").regimes] == ["regime_0", "regime_1"]
    assert not named(alike, "auto").is_named


def test_columns_whose_names_cannot_be_printed_give_no_name(model):
    contract = made(
        model.contract, ("level",), [(0.5, 9, (0,), (1,)), (0.5, 9, (9,), (1,))], ["a\x1bb"]
    )
    assert automatic_names(contract) == ["", ""]


def test_one_regime_and_one_without_bars_have_answers(model):
    one = made(model.contract, ("level",), [(1.0, 9, (0.0,), (1.0,))])
    assert automatic_names(one) == [""]
    empty = made(model.contract, ("log_difference",), [
        (1.0, 25, (0.001,), (0.01,)), (0.0, 0, (0.0,), (0.0,))
    ])  # fmt: skip
    assert automatic_names(empty) == ["rise", ""]


def test_own_names_and_those_left_over(market):
    def names(*given):
        return [one.name for one in named(market, given).regimes]

    assert names("calm", "", "crash") == ["calm", "regime_1", "crash"]
    assert names("regime_1") == ["regime_1 2", "regime_1", "regime_2"]
    with pytest.warns(RegimeWarning, match="not used, since there are 3 regimes: the name rest"):
        assert names("a", "b", "c", "rest") == ["a", "b", "c"]
    assert named(market, None) is market


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "a", "b"], "names is ['a', 'a', 'b']; the names must be different"),
        (["a\n", "b"], "without control characters"),
        ({-1: "a"}, "names is {-1: 'a'}; a mapping gives names by numbers of regimes"),
        ({"calm": 0}, "a mapping gives names by numbers"),
        ({0: 1}, "names is [1]; it must be None, 'auto' or a list of texts."),
        (["a", "b", "c", "d"], "names has 4 names, and n_regimes is 3; give one for each regime."),
    ],
)
def test_impossible_names_are_refused(names, message):
    with pytest.raises(ConfigError) as caught:
        rg.RegimeDetector(names=names, n_regimes=3).fit(np.zeros((1, 1)))
    assert message in str(caught.value)


@pytest.fixture(scope="module")
def called(unfitted, values):
    return unfitted("window").set_params(names={0: "calm", 2: "crash"}).fit(values)


def test_names_change_no_label(called, detector, values):
    np.testing.assert_array_equal(called.labels_, detector.labels_)
    np.testing.assert_array_equal(called.predict_proba(values), detector.predict_proba(values))


def test_names_stand_in_file_frames_ticks_and_golden_file(called, values, tmp_path):
    called.save(tmp_path / "m.onnx")
    model = rg.load(tmp_path / "m.onnx")
    names = ["calm", "regime_1", "crash"]
    assert [one.name for one in model.contract.regimes] == names
    frame = pd.DataFrame(values, columns=["x0", "x1", "x2", "x3"])
    assert model.predict_proba(frame).columns.tolist() == names
    stream = model.stream()
    ticks = [tick for tick in map(stream.push, values[:80]) if tick is not None]
    assert ticks
    assert [tick.name for tick in ticks] == [names[tick.regime] for tick in ticks]
    assert called.golden_.regimes == tuple(names)


def test_a_refit_keeps_names_and_names_only_what_is_new(called, unfitted, values):
    refit = unfitted("window").set_params(align_to=called, names="auto", n_regimes=4).fit(values)
    names = [one.name for one in refit.model_.contract.regimes]
    kept = [name for name, old in zip(names, refit.alignment_.mapping, strict=True) if old >= 0]
    born = [name for name, old in zip(names, refit.alignment_.mapping, strict=True) if old < 0]
    assert set(kept) <= {"calm", "regime_1", "crash"}
    assert born
    assert not any(name.startswith("regime_") for name in born)
    assert refit.alignment_.names == tuple(names)
    assert refit.alignment_.born == tuple(born)
    assert refit.model_.contract.training.alignment == refit.alignment_


def test_a_name_that_was_given_up_is_not_used_again(called, unfitted, values):
    one = unfitted("window").set_params(align_to=called, n_regimes=2).fit(values)
    gone = one.alignment_.retired
    assert gone
    names = {0: gone[0], 1: gone[0] + " 3", 2: gone[0] + " 4", 3: gone[0] + " 5"}
    again = unfitted("window").set_params(align_to=one, n_regimes=4, names=names).fit(values)
    assert again.alignment_.born
    assert gone[0] not in [regime.name for regime in again.model_.contract.regimes]
