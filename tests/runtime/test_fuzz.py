"""Any bytes for a model, any JSON for a contract: a ModelError in a sentence, or a model."""

import json
import os
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regimetry.contract import CONTRACT_KEY, FORMAT_KEY, read_contract
from regimetry.errors import ModelError
from regimetry.runtime.graphfile import GraphFile

# Continuous integration gives each half a minute: REGIMETRY_FUZZ=20000.
EXAMPLES = int(os.environ.get("REGIMETRY_FUZZ", "200"))
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=timedelta(seconds=5),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
NUMBERS = st.integers() | st.floats() | st.just(10**400) | st.just(-1) | st.just(2**63)
SCALARS = NUMBERS | st.none() | st.booleans() | st.text(max_size=5) | st.just("\x1b[2J")
VALUES = st.recursive(SCALARS, lambda v: st.lists(v) | st.dictionaries(st.text(), v), max_leaves=5)


@pytest.fixture(scope="module")
def content(shipped):
    return shipped.content


@pytest.fixture(scope="module")
def metadata(shipped):
    return shipped.contract.to_metadata()


@FUZZ
@given(data=st.data())
def test_any_change_of_the_bytes(content, data):
    changed = bytearray(content[:6000])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(changed) - 1))
        kind = data.draw(st.sampled_from(["set", "insert", "cut"]))
        some = data.draw(st.binary(min_size=1, max_size=6))
        if kind == "set":
            changed[place : place + len(some)] = some
        elif kind == "insert":
            changed[place:place] = some
        else:
            del changed[place : place + len(some)]
    with pytest.raises(ModelError, match=r"\.$|\)$"):
        GraphFile.read(bytes(changed))


def places(value, path=()):
    """Yield the path of every value in a JSON object."""
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


@FUZZ
@given(data=st.data())
def test_any_change_of_the_contract(metadata, data):
    contract = json.loads(metadata[CONTRACT_KEY])
    *path, last = data.draw(st.sampled_from([p for p in places(contract) if p]))
    inner = contract
    for key in path:
        inner = inner[key]
    inner[last] = data.draw(VALUES)
    text = json.dumps(contract, ensure_ascii=data.draw(st.booleans()))
    try:
        read = read_contract({FORMAT_KEY: "4", CONTRACT_KEY: text}, "m.onnx")
    except ModelError as error:
        assert str(error).endswith(".")  # noqa: PT017
    else:
        numbers = [*read.mean, *read.scale, read.jump_penalty, read.sharpness]
        assert np.isfinite(numbers).all()
        assert all(name.isprintable() for name in (r.name for r in read.regimes) if name.isascii())
        json.loads(read.to_metadata()[CONTRACT_KEY])
