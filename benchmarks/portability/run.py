"""One form of a model in one runtime: ``python run.py RUNTIME model.onnx golden.npz``.

Runs in the runtime's own environment, where this package is not. Prints as JSON the largest
difference of each output, relative to its largest magnitude, and the share of equal regimes; or the
error.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

NAMES = ("embedding", "distance", "regime", "novelty")
"""The outputs of a model, in their order."""

Run = Callable[[np.ndarray], "list[np.ndarray]"]


def onnxruntime(path: Path, _: np.ndarray) -> Run:
    """Run the file as it is."""
    ort = import_module("onnxruntime")
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda values: session.run(list(NAMES), {name: values})


def ort_format(path: Path, example: np.ndarray) -> Run:
    """Run the file in onnxruntime's own format."""
    tool = "onnxruntime.tools.convert_onnx_models_to_ort"
    call(sys.executable, "-m", tool, path, "--optimization_style", "Fixed")
    return onnxruntime(path.with_suffix(".ort"), example)


def int8(path: Path, example: np.ndarray) -> Run:
    """Run the file with weights of eight bits."""
    quantization = import_module("onnxruntime.quantization")
    small = path.with_suffix(".int8.onnx")
    quantization.quantize_dynamic(path, small)
    return onnxruntime(small, example)


def reference(path: Path, _: np.ndarray) -> Run:
    """Run ONNX's own evaluator."""
    evaluator = import_module("onnx.reference").ReferenceEvaluator(str(path))
    name = evaluator.input_names[0]
    return lambda values: evaluator.run(list(NAMES), {name: values})


def openvino(path: Path, _: np.ndarray) -> Run:
    """Run OpenVINO in float32."""
    return in_openvino(path, {"INFERENCE_PRECISION_HINT": "f32"})


def openvino_unhinted(path: Path, _: np.ndarray) -> Run:
    """Run OpenVINO in the precision that it chooses."""
    return in_openvino(path, {})


def in_openvino(path: Path, options: dict[str, str]) -> Run:
    core = import_module("openvino.runtime" if openvino_is_old() else "openvino").Core()
    compiled = core.compile_model(core.read_model(str(path)), "CPU", options)

    def run(values: np.ndarray) -> list[np.ndarray]:
        found = compiled([values])
        return [found[compiled.output(name)] for name in NAMES]

    return run


def openvino_is_old() -> bool:
    """Say whether the classes lie in ``openvino.runtime``, as until 2023.2."""
    return not hasattr(import_module("openvino"), "Core")


def opencv(path: Path, _: np.ndarray) -> Run:
    """Run OpenCV's deep neural networks."""
    net = import_module("cv2").dnn.readNetFromONNX(str(path))

    def run(values: np.ndarray) -> list[np.ndarray]:
        net.setInput(values)
        return list(net.forward(list(NAMES)))

    return run


def onnx2torch(path: Path, _: np.ndarray) -> Run:
    """Convert to a torch module."""
    return in_torch(import_module("onnx2torch").convert(str(path)))


def onnx2pytorch(path: Path, _: np.ndarray) -> Run:
    """Convert to a torch module, by the other package."""
    model = import_module("onnx").load(str(path))
    return in_torch(import_module("onnx2pytorch").ConvertModel(model, experimental=True))


def in_torch(module: Any) -> Run:
    torch = import_module("torch")

    def run(values: np.ndarray) -> list[np.ndarray]:
        with torch.no_grad():
            return [value.numpy() for value in module.eval()(torch.from_numpy(values))]

    return run


def tract(path: Path, _: np.ndarray) -> Run:
    """Run tract."""
    model = import_module("tract").onnx().load(str(path))
    names = [model.output_name(number) for number in range(model.output_count())]
    model = model.into_model().into_runnable()

    def run(values: np.ndarray) -> list[np.ndarray]:
        found = dict(zip(names, model.run([values]), strict=True))
        return [found[name].to_numpy() for name in NAMES]

    return run


def mnn(path: Path, _: np.ndarray) -> Run:
    """Convert to MNN's format."""
    converted = path.with_suffix(".mnn")
    program = Path(sys.executable).parent / "mnnconvert"
    call(program, "-f", "ONNX", "--modelFile", path, "--MNNModel", converted, "--bizCode", "model")
    nn, expr = import_module("MNN.nn"), import_module("MNN.expr")
    module = nn.load_module_from_file(str(converted), [path.stem], list(NAMES))

    def run(values: np.ndarray) -> list[np.ndarray]:
        given = expr.placeholder(list(values.shape), expr.NCHW, expr.float)
        given.write(values)
        return [value.read().copy() for value in module.onForward([given])]

    return run


def iree(path: Path, _: np.ndarray) -> Run:
    """Compile for this processor by IREE."""
    imported, compiled = path.with_suffix(".mlir"), path.with_suffix(".vmfb")
    programs = Path(sys.executable).parent
    call(programs / "iree-import-onnx", path, "-o", imported)
    target = "--iree-hal-target-backends=llvm-cpu", "--iree-llvmcpu-target-cpu=host"
    call(programs / "iree-compile", *target, imported, "-o", compiled)
    runtime = import_module("iree.runtime")
    module = runtime.load_vm_flatbuffer_file(str(compiled), driver="local-sync")
    return lambda values: [value.to_host() for value in module.regimetry(values)]


def tinygrad(path: Path, _: np.ndarray) -> Run:
    """Run tinygrad."""
    tensor = import_module("tinygrad").Tensor
    runner = import_module("tinygrad.nn.onnx").OnnxRunner(str(path))
    (name,) = runner.graph_inputs

    def run(values: np.ndarray) -> list[np.ndarray]:
        found = runner({name: tensor(values)})
        return [found[output].numpy() for output in NAMES]

    return run


def tvm(path: Path, example: np.ndarray) -> Run:
    """Compile by TVM for batches of one size."""
    package, relax = import_module("tvm"), import_module("tvm.relax")
    model = import_module("onnx").load(str(path))
    frontend = import_module("tvm.relax.frontend.onnx")
    shapes = {model.graph.input[0].name: list(example.shape)}
    module = frontend.from_onnx(model, shape_dict=shapes, keep_params_in_input=False)
    machine = relax.VirtualMachine(package.compile(module, target="llvm"), package.cpu())
    return lambda values: [
        value.numpy() for value in machine["main"](package.runtime.tensor(values))
    ]


def onnx2tf(path: Path, _: np.ndarray) -> Run:
    """Convert to TFLite, and run its interpreter."""
    folder = path.with_suffix(".tflite")
    options = "-n", "-coion", "-kat", "window", "series"
    call(sys.executable, "-m", "onnx2tf", "-i", path, "-o", folder, *options)
    litert = import_module("ai_edge_litert.interpreter")
    interpreter = litert.Interpreter(str(folder / f"{path.stem}_float32.tflite"))
    ((_, signature),) = interpreter.get_signature_list().items()
    runner = interpreter.get_signature_runner()

    def run(values: np.ndarray) -> list[np.ndarray]:
        found = runner(**{signature["inputs"][0]: values})
        return [found[name] for name in NAMES]

    return run


def pnnx(path: Path, example: np.ndarray) -> Run:
    """Convert by pnnx, and run ncnn."""
    shape = ",".join(map(str, example.shape))
    call(Path(sys.executable).parent / "pnnx", path.name, f"inputshape=[{shape}]", cwd=path.parent)
    load = "import ncnn, sys; sys.exit(ncnn.Net().load_param(sys.argv[1]) != 0)"
    call(sys.executable, "-c", load, path.with_suffix(".ncnn.param"))
    raise RuntimeError("ncnn reads the file; this command does not compare its outputs")


def jaxonnxruntime(path: Path, _: np.ndarray) -> Run:
    """Run in JAX."""
    model = import_module("onnx").load(str(path))
    backend = import_module("jaxonnxruntime.backend").Backend
    prepared = backend.prepare(model)
    name = model.graph.input[0].name
    return lambda values: [np.asarray(value) for value in prepared.run({name: values})]


RUNTIMES: dict[str, Callable[[Path, np.ndarray], Run]] = {
    function.__name__: function
    for function in (
        onnxruntime, ort_format, int8, reference, openvino, openvino_unhinted, opencv, onnx2torch,
        onnx2pytorch, tract, mnn, iree, tinygrad, tvm, onnx2tf, pnnx, jaxonnxruntime,
    )
}  # fmt: skip


def call(*command: object, cwd: Path | None = None) -> None:
    """Run a program; raise what it said of an error if it fails."""
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines() or [f"exit code {done.returncode}"]
        raise RuntimeError(next((line for line in said if "rror" in line), said[-1]))


def compare(found: list[np.ndarray], golden: dict[str, np.ndarray]) -> dict[str, float]:
    """Return the relative difference of each output, and the share of equal regimes."""
    result = {}
    for name, given in zip(NAMES, found, strict=True):
        expected = golden[name]
        # Axes of one entry are let pass: OpenCV 4 keeps them.
        if np.squeeze(given).shape != np.squeeze(expected).shape:
            raise ValueError(f"{name} is {np.shape(given)}; expected {expected.shape}")
        values = np.reshape(given, expected.shape)
        if name == "regime":
            result[name] = float(np.mean(values == expected))
        else:
            result[name] = float(np.abs(values - expected).max() / np.abs(expected).max())
    return result


def main(runtime: str, model: str, golden_path: str) -> None:
    """Compare, and print the result as the last line."""
    golden = dict(np.load(golden_path))
    values = golden["input"]
    try:
        result: dict[str, Any] = compare(RUNTIMES[runtime](Path(model), values)(values), golden)
    except Exception as error:  # whatever a runtime raises is its row
        result = {"error": " ".join(f"{type(error).__name__}: {error}".split())}
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
