"""Model files that are cut, damaged, edited, or hide something."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
import onnx
from onnx import helper, numpy_helper

import regimetry as rg
from benchmarks.attack import Attack, Place
from regimetry.check import verify as verification
from regimetry.check.golden import golden_path, read_golden
from regimetry.contract import CONTRACT_KEY, reading
from regimetry.errors import ModelError
from regimetry.runtime import graphfile, protobuf
from regimetry.runtime.graphfile import GraphFile
from regimetry.runtime.protobuf import varint
from regimetry.runtime.seal import sealed


def _loads(content: bytes) -> rg.RegimeModel | None:
    """Return the model; ``None`` where it is refused in a sentence."""
    try:
        return rg.RegimeModel(content, device="cpu", threads=1)
    except ModelError:
        return None


def _unless(planted: bool, *args: Any) -> AbstractContextManager[Any]:
    return patch.object(*args) if planted else nullcontext()


def truncations(place: Place, tries: int, planted: bool) -> Iterator[str | None]:
    """Cut a file anywhere; planted: a reader that takes the old file for what it cannot read."""
    content = place.model.read_bytes()
    good, read = GraphFile.read(content), GraphFile.read

    def mending(*args: Any, **kwargs: Any) -> GraphFile:
        try:
            return read(*args, **kwargs)
        except ModelError:
            return good

    with _unless(planted, GraphFile, "read", mending):
        for cut in np.linspace(0, len(content) - 1, tries).astype(int).tolist():
            yield f"cut at {cut}: loaded" if _loads(content[:cut]) else None


def flips(place: Place, tries: int, planted: bool) -> Iterator[str | None]:
    """Flip one bit anywhere: each must be refused; planted: the seal is not compared."""
    content, generator = place.model.read_bytes(), random.Random(0)
    with _unless(planted, graphfile, "_seal", lambda *_: "0" * 64):
        for _ in range(tries):
            changed, bit = bytearray(content), generator.randrange(8 * len(content))
            changed[bit // 8] ^= 1 << bit % 8
            yield f"bit {bit}: loaded" if _loads(bytes(changed)) else None


def _other_number(value: Any, generator: random.Random) -> Any:
    """Return a JSON value with one number in it changed."""
    if isinstance(value, dict) and value:
        key = generator.choice(sorted(value))
        return {**value, key: _other_number(value[key], generator)}
    if isinstance(value, list) and value:
        place = generator.randrange(len(value))
        return [_other_number(v, generator) if i == place else v for i, v in enumerate(value)]
    if type(value) in (int, float):
        return value * 1.01 + 0.01 if type(value) is float else value + 1
    return value


def metadata_edits(place: Place, tries: int, planted: bool) -> Iterator[str | None]:
    """Change a number of the contract and seal it anew; planted: no model in the golden file."""
    generator, copy = random.Random(1), place.room / "edited.onnx"
    shutil.copyfile(golden_path(place.model), golden_path(copy))
    read = read_golden

    def forgetful(*args: Any) -> Any:
        return replace(read(*args), model=None)

    with _unless(planted, verification, "read_golden", forgetful):
        for number in range(tries):
            model = onnx.load_from_string(place.model.read_bytes())
            entry = next(e for e in model.metadata_props if e.key == CONTRACT_KEY)
            before = json.loads(entry.value)
            after = _other_number(before, generator)
            if after == before:
                continue
            entry.value = json.dumps(after)
            copy.write_bytes(sealed(model.SerializeToString()))
            try:
                found = verification.verify(copy, runtimes=["onnxruntime"]).problem
            except ModelError as error:
                found = str(error)
            yield None if found else f"edit {number}: verified"


TEXTS: tuple[tuple[str, Callable[[dict[str, Any]], str]], ...] = (
    ("an integer of 400 digits", lambda c: json.dumps({**c, "window_size": 10**400})),
    ("an integer of 5000 digits", lambda c: json.dumps(c)[:-1] + ', "seed": ' + "9" * 5000 + "}"),
    ("a huge exponent", lambda c: json.dumps(c).replace("1.0", "1e999", 1)),
    ("half a character", lambda c: json.dumps({**c, "by": "\ud800"})),
    ("an entry twice", lambda c: json.dumps(c)[:-1] + ', "jump_penalty": 7.0}'),
    ("not a number", lambda c: json.dumps({**c, "sharpness": float("nan")})),
    ("no regimes", lambda c: json.dumps({**c, "regimes": []})),
    ("a list", lambda _: "[]"),
    ("deep lists", lambda _: "[" * 100_000),
    ("an escape sequence as a name", lambda c: json.dumps(_named(c, "\x1b[2J"))),
    ("a name twice", lambda c: json.dumps(_named(c, c["regimes"][1]["name"]))),
    ("true as a number", lambda c: json.dumps({**c, "window_size": True})),
)


def _named(contract: dict[str, Any], name: str) -> dict[str, Any]:
    first, *others = contract["regimes"]
    return {**contract, "regimes": [{**first, "name": name}, *others]}


def contracts(place: Place, tries: int, planted: bool) -> Iterator[str | None]:
    """Put what no contract may hold into the file; planted: JSON is read as Python reads it."""
    with _unless(planted, reading, "json_object", json.loads):
        for name, write in TEXTS[:tries] if not planted else TEXTS:
            model = onnx.load_from_string(place.model.read_bytes())
            entry = next(e for e in model.metadata_props if e.key == CONTRACT_KEY)
            entry.value = (
                write(json.loads(entry.value))
                .encode("utf-8", "surrogatepass")
                .decode("utf-8", "replace")
            )
            yield f"{name}: loaded" if _loads(sealed(model.SerializeToString())) else None


def _hidden(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield models with something that one parser sees and another does not."""
    graph = helper.make_graph([], "other", [], []).SerializeToString()
    for bits in (1 << 32, 1 << 33, 1 << 40, 1 << 62):
        for number in (7, 14, 25):
            tag = varint(number << 3 | 2 | bits)
            yield f"field {number} with bit {bits:x}", content + tag + varint(len(graph)) + graph
    for number in (2, 7, 20, 77, 1000, 2**28):
        field = varint(number << 3 | 2) + varint(len(graph)) + graph
        yield f"field {number} once more", content + field
    yield "a group", content + varint(77 << 3 | 3) + varint(77 << 3 | 4)
    model = onnx.load_from_string(content)
    loop = helper.make_node("Loop", ["", "go"], [], body=helper.make_graph([], "b", [], []))
    for name, node in (
        ("a loop", loop),
        ("random numbers", helper.make_node("RandomNormal", [], ["r"], shape=[1])),
        ("a foreign operator", helper.make_node("Gelu", ["window"], ["r"], domain="com.microsoft")),
        ("an unknown operator", helper.make_node("NonZero", ["window"], ["r"])),
    ):
        changed = onnx.ModelProto()
        changed.CopyFrom(model)
        changed.graph.node.insert(0, node)
        if name == "a loop":
            changed.graph.initializer.append(numpy_helper.from_array(np.array(True), "go"))
        yield name, changed.SerializeToString()
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    changed.graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL
    changed.graph.initializer[0].external_data.add(key="location", value="/etc/hostname")
    yield "a weight outside", changed.SerializeToString()


def hidden_fields(place: Place, tries: int, planted: bool) -> Iterator[str | None]:
    """Hide fields, operators and files in a model; planted: tags of 64 bits are unknown fields."""
    fields = protobuf.Message.fields

    def lenient(self: protobuf.Message, message: memoryview) -> Iterator[protobuf.Field]:
        try:
            yield from fields(self, message)
        except ValueError:
            return

    def opened(content: bytes) -> bool:
        try:
            sealed_again = sealed(content)
        except ValueError:
            sealed_again = content
        return _loads(sealed_again) is not None

    with _unless(planted, protobuf.Message, "fields", lenient):
        for name, content in [*_hidden(place.model.read_bytes())][: None if planted else tries]:
            yield f"{name}: loaded" if opened(content) else None


ATTACKS = (
    Attack("truncations", 500, truncations),
    Attack("flips", 1500, flips),
    Attack("metadata edits", 150, metadata_edits),
    Attack("contracts", len(TEXTS), contracts),
    Attack("hidden fields", 30, hidden_fields),
)
