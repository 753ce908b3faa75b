"""Every refusal of a configuration names the field, what was found and what is allowed."""

import json
from dataclasses import asdict, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regimetry.configuration import Configuration
from regimetry.configuration.fields import DERIVED, allowed, from_text
from regimetry.configuration.reading import resolve, validated
from regimetry.configuration.writing import as_yaml, plain_fields
from regimetry.configuration.yamlfile import read_yaml, yaml_scalar
from regimetry.encoder.config import EncoderConfig
from regimetry.errors import ConfigError


@pytest.fixture
def read(tmp_path):
    def resolved(text, **flags):
        path = tmp_path / "run.yaml"
        path.write_text(text, encoding="utf-8")
        return resolve(path, flags)

    return resolved


REFUSED = {
    "window_size: 1": "window_size is 1; it must be 'auto' or an integer of at least 2.",
    "window_size: '10'": "window_size is '10'; it must be 'auto' or an integer of at least 2.",
    "window_size: 10.0": "window_size is 10.0; it must be 'auto' or an integer of at least 2.",
    "window_size: true": "window_size is true; it must be 'auto' or an integer of at least 2.",
    "window_size:": "window_size is null; it must be 'auto' or an integer of at least 2.",
    "n_regimes: many": "n_regimes is 'many'; it must be 'auto' or an integer of at least 1.",
    "n_regimes: 0": "n_regimes is 0; it must be 'auto' or an integer of at least 1.",
    "objective: no": "objective is 'no'; it must be one of 'none', 'vamp2'",
    "opset: 16": "opset is 16; it must be one of 17, 18.",
    "jump_penalty: -1": "jump_penalty is -1.0; it must be 'auto' or a finite number of at least",
    "jump_penalty: .nan": "jump_penalty is nan; it must be 'auto' or a finite number of at least",
    "columns: close": "columns is 'close'; it must be null or a list of texts.",
    "columns: [1]": "columns is [1]; it must be null or a list of texts.",
    "difference: 3": "difference is 3; it must be null, 'auto', 'none' or a list of texts.",
    "encoder: 3": "encoder is 3; it must be 'auto', 'pretrained', a path of weights (.npz) or",
    "encoder: {pooling: sum}": "encoder.pooling is 'sum'; it must be one of 'mean', 'moments'",
    "encoder: {head_size: 0}": "encoder.head_size is 0; it must be an integer of at least 1.",
    "encoder: {dropout: 1}": "encoder.dropout is 1.0; it must be a number in [0, 1).",
    "encoder: {padding_mask: on}": "encoder.padding_mask is 'on'; it must be true or false.",
    "encoder: {heads: 2}": "There is no field encoder.heads.",
    "encoder: {num_head: 2}": "Did you mean encoder.num_heads?",
    "encoder: {window_size: 2}": "encoder.window_size is 2; the field window_size sets it.",
    "encoder: {num_features: 2}": "encoder.num_features is 2; the data sets it.",
    "windowsize: 10": "There is no field windowsize. Did you mean window_size? The fields are",
    "zzz: 10": "There is no field zzz. The fields are time_column,",
    "1: 10": "There is no field 1.",
    "feature_window: 5": "feature_window is 5; it has no meaning without features.",
    "features: ohlcv\ncategorical: [a]": "categorical is ['a']; it has no meaning with features",
    "seed: 1\nseed: 2": "line 2 is no YAML of fields and values: 'seed' stands there twice",
    "encoder: {dropout: 0, dropout: 0}": "'dropout' stands there twice",
    "a: [": "line 1 is no YAML of fields and values",
    "[1, 2]": "holds list '[1, 2]'; it must hold fields and values",
    "seed: 1\n---\nseed: 2": "is no YAML of fields and values",
    "columns: &a [x]\ncategorical: *a": "line 2 is no YAML of fields and values: the alias *a",
    "seed: !!python/object/apply:os.getpid []": "line 1 is no YAML of fields and values",
    "time_column: !!timestamp 2020-01-01": "it must be null or text.",
    "? [1]\n: 2": "a key must be a name",
}


@pytest.mark.parametrize("text", list(REFUSED))
def test_a_refusal_names_field_value_and_what_is_allowed(read, text):
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert REFUSED[text] in str(caught.value)
    assert "run.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match="no file"):
        resolve(tmp_path / "none.yaml", {})
    (tmp_path / "latin.yaml").write_bytes(b"columns: [prix \xe9]")
    with pytest.raises(ConfigError, match="cannot be read"):
        resolve(tmp_path / "latin.yaml", {})
    (tmp_path / "deep.yaml").write_text("a: " + "[" * 5000)
    with pytest.raises(ConfigError, match="cannot be read"):
        resolve(tmp_path / "deep.yaml", {})


def test_an_empty_file_is_the_default_and_words_of_yaml_1_1_stay_words(read):
    assert read("# nothing\n") == Configuration()
    found = read("columns: [no, on, y, off, 1:30, 2020-01-01, 0b1, 1_000]\njump_penalty: 1e-3")
    assert found.columns == ("no", "on", "y", "off", "1:30", "2020-01-01", "0b1", "1_000")
    assert found.jump_penalty == 0.001
    assert read("seed: 010").seed == 10
    assert read("seed: 0x10").seed == 16
    assert read("jump_penalty: 2").jump_penalty == 2.0


def test_a_flag_beats_the_file_and_the_file_beats_the_default(read):
    found = read("seed: 4\nepochs: 2\nencoder: {num_heads: 1}", seed=7, columns=["a"])
    assert (found.seed, found.epochs, found.window_size, found.columns) == (7, 2, "auto", ("a",))
    assert found.encoder.num_heads == 1
    assert found.encoder.pooling == "moments"  # the detector's default, not the encoder's
    with pytest.raises(ConfigError, match=r"^seed is 'x'; it must be an integer"):
        read("seed: 4", seed="x")


def test_the_default_comes_back_from_its_own_print(read):
    assert read(as_yaml(Configuration())) == Configuration()


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
names = st.lists(texts | st.sampled_from(["no", "1e3", "null", "2020-01-01", "# a", "a: b"]))


@given(
    columns=st.none() | names,
    categorical=names,
    difference=st.sampled_from(["auto", "none", None]) | names,
    penalty=st.floats(0, allow_nan=False, allow_infinity=False),
    k=st.just("auto") | st.integers(1),
    dropout=st.floats(0, 1, exclude_max=True),
)
def test_any_configuration_comes_back_from_its_print(
    tmp_path_factory, columns, categorical, difference, penalty, k, dropout
):
    configuration = validated(
        {
            "columns": columns,
            "categorical": categorical,
            "difference": difference,
            "jump_penalty": penalty,
            "n_regimes": k,
            "encoder": {"dropout": dropout},
        }
    )
    path = tmp_path_factory.mktemp("yaml") / "run.yaml"
    path.write_text(as_yaml(configuration, heading="of a\ntest"), encoding="utf-8")
    assert resolve(path, {}) == configuration


@given(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, width=64) | texts)
def test_a_scalar_reads_the_same_in_yaml_1_1_and_1_2(tmp_path_factory, value):
    yaml = pytest.importorskip("yaml")
    if value in (float("inf"), float("-inf")):
        return
    text = f"x: {yaml_scalar(value)}"
    path = tmp_path_factory.mktemp("yaml") / "x.yaml"
    path.write_text(text, encoding="utf-8")
    for found in (yaml.safe_load(text), read_yaml(path)):
        assert found == {"x": value}
        assert type(found["x"]) is type(value)


def test_flags_are_read_by_type():
    for name, text, value in (
        ("window_size", "12", 12),
        ("window_size", "ten", "ten"),
        ("n_regimes", "auto", "auto"),
        ("n_regimes", "3", 3),
        ("jump_penalty", "2", 2.0),
        ("opset", "18", 18),
        ("columns", "收盘, prix €", ["收盘", "prix €"]),
        ("columns", "null", None),
        ("difference", "none", "none"),
        ("difference", "a,b", ["a", "b"]),
        ("time_column", "12", "12"),
    ):
        assert from_text(name, text) == value


def test_fields_are_the_parameters_of_the_detector():
    from regimetry.configuration.fields import TableOptions
    from regimetry.configuration.prepare import detector_of
    from regimetry.detector import RegimeDetector

    default = RegimeDetector().get_params(deep=False)
    names = {entry.name for entry in fields(Configuration)}
    names -= {"seed", *(entry.name for entry in fields(TableOptions))}
    assert names == default.keys() - {"align_to", "random_state", "progress"}
    made = detector_of(Configuration(), progress=True).get_params(deep=False)
    expected = {**default, "random_state": 0, "progress": True, "encoder": made["encoder"]}
    assert made == expected


def test_every_field_says_what_it_is_and_what_it_takes():
    for entry in fields(Configuration):
        assert entry.metadata["help"]
        assert allowed(entry.name)
    encoder = {entry.name for entry in fields(EncoderConfig)} - {*DERIVED}
    assert plain_fields(Configuration())["encoder"].keys() == encoder
    json.dumps(plain_fields(Configuration()), allow_nan=False)
    assert asdict(Configuration())["encoder"]["pooling"] == "moments"
