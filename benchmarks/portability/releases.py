"""The releases that are tried: what pip installs together, and which runtimes run in it.

Releases that need an older Python come with it. Whatever lacks on a machine is a row that says so.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Environment:
    """What is installed together.

    Attributes
    ----------
    packages : tuple of str
        As pip takes them; the rows are named after the first.
    runtimes : tuple of str
        Of ``run.py``.
    python : str
        As "3.10"; empty for the Python that runs the benchmark.
    """

    packages: tuple[str, ...]
    runtimes: tuple[str, ...]
    python: str = ""


def releases(package: str, runtime: str, python: str, *versions: str) -> list[Environment]:
    """Return environments of old releases, which need the numpy of their time."""
    return [Environment((f"{package}=={v}", "numpy<2"), (runtime,), python) for v in versions]


OPENCV = "opencv-python-headless"

ENVIRONMENTS: tuple[Environment, ...] = (
    *releases("onnxruntime", "onnxruntime", "3.10", "1.12.1", "1.13.1", "1.14.1"),
    *releases("onnxruntime", "onnxruntime", "3.11", "1.15.1", "1.16.3", "1.18.1"),
    Environment(("onnxruntime==1.20.1",), ("onnxruntime",)),
    Environment(("onnxruntime==1.23.2",), ("onnxruntime",)),
    Environment(("onnxruntime==1.26.0",), ("onnxruntime",)),
    Environment(("onnxruntime==1.29.0",), ("onnxruntime",)),
    Environment(
        ("onnxruntime==1.31.1", "onnx", "sympy"),
        ("onnxruntime", "ort_format", "int8"),
    ),
    Environment(("onnx",), ("reference",)),
    *releases("openvino", "openvino", "3.11", "2023.0.2", "2023.3.0", "2024.6.0"),
    Environment(("openvino==2025.4.1",), ("openvino",)),
    Environment(("openvino==2026.4.1",), ("openvino", "openvino_unhinted")),
    *releases(OPENCV, "opencv", "3.11", "4.10.0.84", "4.11.0.86"),
    Environment((f"{OPENCV}==4.13.0.92",), ("opencv",)),
    Environment((f"{OPENCV}==5.0.0.93",), ("opencv",)),
    Environment(("tract", "numpy"), ("tract",)),
    Environment(("MNN", "numpy"), ("mnn",)),
    Environment(("iree-base-compiler[onnx]", "iree-base-runtime"), ("iree",)),
    Environment(("apache-tvm", "onnx"), ("tvm",)),
    Environment(("tinygrad", "numpy"), ("tinygrad",)),
    Environment(("onnx2tf==1.29.24", "ai-edge-litert"), ("onnx2tf",), "3.11"),
    Environment(("onnx2tf", "ai-edge-litert"), ("onnx2tf",), "3.12"),
    Environment(("onnx2torch", "torch", "torchvision"), ("onnx2torch",)),
    Environment(("onnx2pytorch", "torch", "torchvision"), ("onnx2pytorch",)),
    Environment(("pnnx", "ncnn", "torch"), ("pnnx",)),
    Environment(
        ("jaxonnxruntime", "jax==0.4.20", "jaxlib==0.4.20", "scipy<1.13", "numpy<2", "onnx==1.15.0",
         "absl-py"),
        ("jaxonnxruntime",),
        "3.11",
    ),
)  # fmt: skip

NOTES = {
    "ort_format": "ORT format",
    "int8": "int8 by quantize_dynamic",
    "openvino": "f32",
    "openvino_unhinted": "no hint",
    "reference": "reference evaluator",
    "onnx2tf": "TFLite",
    "pnnx": "ncnn",
}
"""What a row says of a runtime besides the release."""
