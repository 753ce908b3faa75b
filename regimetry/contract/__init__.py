"""What a model file says about itself."""

from regimetry.contract.description import (
    CONTRACT_KEY,
    EVIDENCE,
    FORM_KEY,
    FORMAT_KEY,
    FORMAT_VERSION,
    PRECISION_KEY,
    PRECISIONS,
    READABLE_VERSIONS,
    ModelContract,
    RegimeSummary,
    precision_of,
)
from regimetry.contract.signature import (
    INPUT_NAME,
    OUTPUT_NAMES,
    OUTPUTS,
    SERIES_INPUT_NAME,
    Output,
    Signature,
    Tensor,
    output_tensors,
)

__all__ = [
    "CONTRACT_KEY",
    "EVIDENCE",
    "FORMAT_KEY",
    "FORMAT_VERSION",
    "FORM_KEY",
    "INPUT_NAME",
    "OUTPUTS",
    "OUTPUT_NAMES",
    "PRECISIONS",
    "PRECISION_KEY",
    "READABLE_VERSIONS",
    "SERIES_INPUT_NAME",
    "ModelContract",
    "Output",
    "RegimeSummary",
    "Signature",
    "Tensor",
    "output_tensors",
    "precision_of",
]
