"""Files of every format are read, give the labels that they gave, and verify.

Each model in ``files`` was fitted on 240 bars of two states (of two instruments, for format 3) with
one tiny block and 8 landmarks: format 1 by the last commit that wrote it (f2eea59), the others by
the one before the training record was typed. The table beside each holds the first 60 bars and the
labels that the release of the fit gave them, -1 for none. They are kept as they are: a reader that
changes must still read them.
"""

import json
from pathlib import Path

import onnx
import pandas as pd
import pytest
from places import MODEL

import regimetry as rg
from regimetry.contract import CONTRACT_KEY, FORMAT_KEY, read_contract

FILES = Path(__file__).parent / "files"
FORMATS = ["1", "2", "3"]


def metadata_of(path):
    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


@pytest.mark.parametrize("version", FORMATS)
def test_old_files_give_the_labels_that_they_gave(version, run):
    path = FILES / f"format{version}.onnx"
    assert metadata_of(path)[FORMAT_KEY] == version
    table = pd.read_csv(path.with_suffix(".csv"))
    model = rg.load(path, device="cpu", threads=1)
    found = model.predict(table.drop(columns="regime"), by=model.contract.by)
    assert found.fillna(-1).tolist() == table["regime"].tolist()
    assert set(table["regime"]) == {-1, 0, 1}
    run("verify", path, "--runtime", "onnxruntime")
    assert f"format        version {version}," in run("inspect", path).out


def test_an_old_file_says_what_its_format_can_say():
    one, two, three = (
        read_contract(metadata_of(FILES / f"format{version}.onnx"), "x") for version in FORMATS
    )
    assert (one.evidence, one.novelty_threshold, one.training.candidates) == ("window", None, ())
    assert one.bars_until_label == one.window_size // 2
    assert (two.evidence, two.by, two.training.refinement.order) == ("bar", None, 0)
    assert (three.by, three.scaling.instruments) == ("symbol", ("a", "b"))
    assert three.training.instruments == 2


@pytest.mark.parametrize("path", [MODEL, FILES / "format2.onnx", FILES / "format3.onnx"])
def test_a_contract_is_written_as_it_was_read(path):
    metadata = metadata_of(path)
    contract = read_contract(metadata, path.name)
    written, text = contract.to_metadata(), json.loads(metadata[CONTRACT_KEY])
    again = json.loads(written[CONTRACT_KEY])
    for one in (text["training"], again["training"]):
        one.pop("candidates", None)  # those of today have other figures
    assert again == text
    assert read_contract(written, path.name) == contract


def test_absent_entries_stay_absent():
    metadata = metadata_of(FILES / "format1.onnx")
    written = read_contract(metadata, "x").to_metadata()
    training = [json.loads(text[CONTRACT_KEY])["training"] for text in (metadata, written)]
    assert training[0] == training[1]
    assert "candidates" not in training[0]
