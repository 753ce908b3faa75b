"""Each class of attack, small: nothing gets through, and its planted defect is reported."""

import shutil

import pytest

from benchmarks.attack import Place, reports_its_defect, survived
from benchmarks.attack.__main__ import ATTACKS
from regimetry.check.golden import golden_path

FEW = {
    "truncations": 20,
    "flips": 40,
    "metadata edits": 8,
    "bombs": 3,
    "snapshots": 30,
    "interrupted pushes": 5,
    "calls from within": 20,
    "forks": 4,
    "exits": 2,
    "two writers": 1,
    "kill -9": 3,
    "slow clients": 1,
    "logs": 30,
    "killed services": 2,
}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_is_survived_and_can_fail(attack, model_path, tmp_path):
    place = Place(tmp_path / "model.onnx", tmp_path / "room")
    place.room.mkdir()
    shutil.copyfile(model_path, place.model)
    shutil.copyfile(golden_path(model_path), golden_path(place.model))
    tries = FEW.get(attack.name, attack.tries)
    tried, faults = survived(attack, place, tries)
    assert tried
    assert faults == []
    assert reports_its_defect(attack, place, min(attack.tries, 40))
