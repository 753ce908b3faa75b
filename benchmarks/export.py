"""What the graph and the rewrite rules are worth: ``python -m benchmarks.export [--web]``.

All figures of one table come from one run, interleaved: every candidate computes the same windows
in turn, and the medians are compared. ``--web`` adds onnxruntime-web in headless Chromium, which
needs what `make portability` installs.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import onnx
import onnx.utils
import onnx_ir as ir
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper

from benchmarks.graphs import Pair, as_model, encoder_pair, model_pair, random_encoder
from benchmarks.machine import describe_machine
from regimetry.export.assemble import assemble_encoder
from regimetry.export.convert import encoder_to_onnx
from regimetry.export.rules import RULES, optimise
from regimetry.export.rules.cost import cost_of
from regimetry.export.series_form import to_series
from regimetry.export.shapes import annotate
from regimetry.windows import rolling_windows

WINDOW_SIZE, BATCH = 30, 64
ENCODERS = {
    "W 30, 64 features": {"window_size": 30, "num_features": 64},
    "W 30, 8 features projected to 64": {
        "window_size": 30, "num_features": 8, "embedding_dim": 64,
    },
    "W 10, 4 features projected to 64": {
        "window_size": 10, "num_features": 4, "embedding_dim": 64,
    },
}  # fmt: skip
TIMER = Path(__file__).parent / "web" / "time_models.mjs"


def session(model: onnx.ModelProto, threads: int) -> Callable[[np.ndarray], object]:
    """Return a function that runs a model in onnxruntime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    opened = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    name = opened.get_inputs()[0].name
    return lambda values: opened.run(None, {name: values})


def openvino_session(model: onnx.ModelProto, threads: int) -> Callable[[np.ndarray], object]:
    """Return a function that runs a model in OpenVINO, in float32."""
    core = openvino.Core()
    compiled = core.compile_model(
        core.read_model(model.SerializeToString()),
        "CPU",
        {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32",
         "PERFORMANCE_HINT": "LATENCY"},
    )  # fmt: skip
    request = compiled.create_infer_request()
    return lambda values: request.infer([values])


def medians(
    candidates: Mapping[str, Callable[[np.ndarray], object]], values: np.ndarray, rounds: int = 25
) -> dict[str, float]:
    """Return the median microseconds per window of every candidate, interleaved."""
    repeats = max(1, 64 // len(values))
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for run in candidates.values():
        run(values)
    for _ in range(rounds):
        for name, run in candidates.items():
            start = time.perf_counter()
            for _ in range(repeats):
                run(values)
            times[name].append((time.perf_counter() - start) / repeats)
    return {name: 1e6 * statistics.median(t) / len(values) for name, t in times.items()}


def windows_of(model: onnx.ModelProto, count: int) -> np.ndarray:
    """Return random windows of a model's input shape."""
    shape = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim][1:]
    return np.random.default_rng(1).standard_normal((count, *shape)).astype(np.float32)


def operations(model: onnx.ModelProto) -> int:
    """Return the multiply-accumulates of one window."""
    annotated = ir.from_proto(model)
    annotate(annotated)
    return cost_of(annotated.graph).operations


def product_session(threads: int) -> tuple[Callable[[np.ndarray], object], np.ndarray, int]:
    """Return the largest product of the folded graph alone, its input, and its operations."""
    rows, inner, columns = WINDOW_SIZE * BATCH, 256, 256
    value = helper.make_tensor_value_info
    matrix = np.random.default_rng(0).standard_normal((inner, columns)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["a", "b"], ["c"])],
        "product",
        [value("a", TensorProto.FLOAT, ["rows", inner])],
        [value("c", TensorProto.FLOAT, ["rows", columns])],
        [numpy_helper.from_array(matrix, "b")],
    )
    model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)])
    left = np.random.default_rng(0).standard_normal((rows, inner)).astype(np.float32)
    return session(model, threads), left, rows * inner * columns


def print_speed(name: str, pair: Pair, threads: int) -> None:
    """Print the rows of one encoder."""
    candidates = {
        "Keras": lambda x: pair.keras.predict(x, batch_size=BATCH, verbose=0),
        "onnxruntime, plain": session(pair.plain, threads),
        "OpenVINO, plain": openvino_session(pair.plain, threads),
        "OpenVINO, ours": openvino_session(pair.folded, threads),
        "onnxruntime, ours": session(pair.folded, threads),
    }
    for count in (1, BATCH):
        found = medians(candidates, windows_of(pair.plain, count), 11 if count == 1 else 25)
        ours = found["onnxruntime, ours"]
        cells = [f"{value:.0f} ({value / ours:.1f}x)" for value in list(found.values())[:-1]]
        print(f"| {name} | {threads} | {count} | {' | '.join(cells)} | {ours:.0f} |")


def print_whole() -> None:
    """Print a whole model beside tf2onnx's graph of the mean-pooled encoder alone, one window."""
    whole = model_pair(64, WINDOW_SIZE, 1000, embedding_dim=None).folded
    alone = encoder_pair(window_size=WINDOW_SIZE, num_features=64)
    extract = onnx.utils.Extractor(whole).extract_model
    candidates = {
        "tf2onnx, mean-pooled encoder alone": alone.plain,
        "ours, all outputs": whole,
        "ours, distance": extract(["window"], ["distance"]),
        "ours, novelty": extract(["window"], ["novelty"]),
        "ours, embedding": extract(["window"], ["embedding"]),
        "ours, mean-pooled encoder alone": alone.folded,
    }
    sessions = {name: session(model, 1) for name, model in candidates.items()}
    found = medians(sessions, windows_of(whole, 1), 51)
    print("\n| one window, W 30, 64 features, 1000 landmarks | us | ratio |\n|---|---|---|")
    for name, value in found.items():
        ratio = found["tf2onnx, mean-pooled encoder alone"] / value
        print(f"| {name} | {value:.0f} | tf2onnx takes {ratio:.2f} times as long |")


def print_rate(name: str, pair: Pair) -> None:
    """Print how near the rewritten graph comes to the machine's matrix products, one thread."""
    product, left, count = product_session(1)
    values = windows_of(pair.folded, BATCH)
    candidates = {
        "product": lambda _: product(left),
        "graph": session(pair.folded, 1),
    }
    found = {k: v * BATCH for k, v in medians(candidates, values, 50).items()}
    rate = count / found["product"]
    mine = operations(pair.folded) * BATCH / found["graph"]
    print(
        f"| {name} | {operations(pair.plain) / 1e6:.1f} | {operations(pair.folded) / 1e6:.2f} | "
        f"{rate / 1e3:.1f} | {mine / 1e3:.1f} | {mine / rate:.0%} |"
    )


def print_rules(name: str, fields: Mapping[str, object]) -> None:
    """Print what each rule adds, at one thread and 64 windows."""
    encoder, part = random_encoder(**fields)
    model = as_model(encoder_to_onnx(encoder))
    stages = {"tf2onnx, channels last": optimise(model, ())[0]}
    for number, rule in enumerate(RULES, 1):
        stages[f"+ {rule.name}"] = optimise(model, RULES[:number])[0]
    stages["written from the weights"] = assemble_encoder(part)
    values = windows_of(model, BATCH)
    found = medians({key: session(stage, 1) for key, stage in stages.items()}, values)
    for key, stage in stages.items():
        print(
            f"| {name} | {key} | {len(stage.graph.node)} | {operations(stage) / 1e6:.2f} | "
            f"{stage.ByteSize() / 2**20:.2f} | {found[key]:.0f} |"
        )


def print_series(n_features: int) -> None:
    """Print the series form of a whole model file against its window form, one thread."""
    folded = model_pair(n_features, WINDOW_SIZE, 1000).folded
    by_window, by_bar = session(folded, 1), session(to_series(folded), 1)
    for count in (16, 64):
        bars = np.random.default_rng(1).standard_normal((count + WINDOW_SIZE - 1, n_features))
        bars = bars.astype(np.float32)
        windows = np.ascontiguousarray(rolling_windows(bars, WINDOW_SIZE))
        same = all(map(np.array_equal, by_window(windows), by_bar(bars)))  # type: ignore[call-overload]
        candidates = {
            "window": lambda _, w=windows: by_window(w),
            "series": lambda _, b=bars: by_bar(b),
        }
        found = medians(candidates, windows, 50)
        print(
            f"| {n_features} | {count} | {found['window']:.0f} | {found['series']:.0f} | "
            f"{found['window'] / found['series']:.2f} | {same} |"
        )


def print_accuracy() -> None:
    """Print the largest difference from Keras over sizes and windows."""
    print("\n| W \\ D | " + " | ".join(map(str, (8, 16, 64, 80, 128, 256, 300))) + " |")
    print("|---" * 8 + "|")
    for window_size in (5, 10, 30, 60):
        cells = []
        for size in (8, 16, 64, 80, 128, 256, 300):
            pair = encoder_pair(window_size=window_size, num_features=5, embedding_dim=size)
            values = windows_of(pair.folded, 8)
            expected = np.asarray(pair.keras(values))
            found = session(pair.folded, 1)(values)[0]  # type: ignore[index]
            cells.append(f"{np.abs(found - expected).max() / np.abs(expected).max():.0e}")
        print(f"| {window_size} | {' | '.join(cells)} |")


def print_web(pairs: Mapping[str, Pair]) -> None:
    """Print onnxruntime-web on both graphs."""
    print(
        "\n| onnxruntime-web | windows per call | plain | rewritten | ratio |\n"
        "|---|---|---|---|---|"
    )
    for name, pair in pairs.items():
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / "plain.onnx", Path(folder) / "rewritten.onnx"]
            for path, model in zip(files, (pair.plain, pair.folded), strict=True):
                path.write_bytes(model.SerializeToString())
            for count in (1, BATCH):
                output = subprocess.run(
                    ["node", str(TIMER), *map(str, files), "--batch", str(count)],
                    check=True, capture_output=True, text=True,
                ).stdout  # fmt: skip
                times = [json.loads(output)[str(path)]["microseconds_per_window"] for path in files]
                print(
                    f"| {name} | {count} | {times[0]:.0f} | {times[1]:.0f} | "
                    f"{times[0] / times[1]:.1f}x |"
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--web", action="store_true", help="add onnxruntime-web")
    options = parser.parse_args()

    pairs = {name: encoder_pair(**fields) for name, fields in ENCODERS.items()}
    whole = "W 30, 8 features, moments, head of 1000 landmarks"
    print(f"Measured on {describe_machine()}, openvino {openvino.__version__.split('-')[0]}.\n")
    print("Microseconds per window; in brackets, how many times those of our graph.\n")
    print(
        "| encoder | threads | windows per call | Keras `predict` | onnxruntime, plain | OpenVINO, "
        "plain | OpenVINO, ours | onnxruntime, ours |"
    )
    print("|---" * 8 + "|")
    for threads in (1, 2):
        for name, pair in pairs.items():
            print_speed(name, pair, threads)
    model = model_pair(8, WINDOW_SIZE, 1000)
    for count in (1, BATCH):
        values = windows_of(model.plain, count)
        found = medians(
            {"plain": session(model.plain, 1), "rewritten": session(model.folded, 1)}, values
        )
        ratio = found["plain"] / found["rewritten"]
        print(
            f"| {whole} | 1 | {count} | | {found['plain']:.0f} ({ratio:.1f}x) | | | "
            f"{found['rewritten']:.0f} |"
        )

    print_whole()

    print(
        "\n| encoder, one thread, 64 windows | million operations, plain | rewritten | product, "
        "GMAC/s | graph, GMAC/s | share |\n|---|---|---|---|---|---|"
    )
    for name, pair in pairs.items():
        print_rate(name, pair)

    print(
        "\n| encoder | rules | nodes | million operations | MiB | microseconds per window |\n"
        "|---|---|---|---|---|---|"
    )
    for name, fields in ENCODERS.items():
        print_rules(name, fields)

    print(
        "\n| features | windows per call | window form | series form | ratio | bit-identical |\n"
        "|---|---|---|---|---|---|"
    )
    for n_features in (8, 300):
        print_series(n_features)

    print("\nLargest difference from Keras, relative to the largest entry of the embedding:")
    print_accuracy()
    if options.web:
        print_web(pairs)


if __name__ == "__main__":
    main()
