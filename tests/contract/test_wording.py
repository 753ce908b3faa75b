"""What a row is called, and times and rates in words."""

from dataclasses import replace

import pytest

import regimetry as rg
from regimetry.contract import CONTRACT_KEY, read_contract
from regimetry.contract.wording import counted, duration, is_word, plural, rate
from regimetry.errors import ConfigError, ModelError


def test_words():
    assert [plural(unit) for unit in ("row", "batch", "glass")] == ["rows", "batches", "glasses"]
    assert [counted(n, "bar") for n in (0, 1, 2)] == ["0 bars", "1 bar", "2 bars"]
    assert counted(1234, "sample", ",d") == "1,234 samples"
    assert counted(1.2, "row", ".0f") == "1 row"
    assert all(map(is_word, ("minute", "Zeile", "half-hour", "行")))
    assert not any(map(is_word, ("", "two words", "row\n", "a1", "-")))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.01, "0.01 seconds"), (1, "1 second"), (900, "15 minutes"), (5400, "1.5 hours"),
     (86400, "1 day"), (604800, "7 days")],
)  # fmt: skip
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "days", "text"),
    [(0, 10, "0 a year"), (3, 1461, "0.75 a year"), (10, 10, "1 a day"), (48, 1, "2 an hour"),
     (2, 7, "2 a week"), (1_000_000, 1, "11.6 a second")],
)  # fmt: skip
def test_rates_are_per_the_shortest_time_in_which_there_is_one(count, days, text):
    assert rate(count, days * 86400.0) == text


def test_a_unit_stands_in_the_file_only_where_it_was_given(model):
    plain = model.contract
    assert plain.unit == "row"
    assert "unit" not in plain.to_dict()
    named = replace(plain, unit="sample")
    again = read_contract(named.to_metadata(), "x")
    assert again == named
    assert again.format_version == 4
    assert again.counted(2) == "2 samples"
    metadata = named.to_metadata()
    metadata[CONTRACT_KEY] = metadata[CONTRACT_KEY].replace('"sample"', '"two words"')
    with pytest.raises(ModelError, match="unit is 'two words'; expected one word"):
        read_contract(metadata, "x")


def test_a_unit_is_one_word():
    with pytest.raises(ConfigError, match="unit is 'two words'; it must be one word, such as bar"):
        rg.RegimeDetector(unit="two words").fit([[0.0]])
