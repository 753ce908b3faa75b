"""What a model file says about itself."""

from regimetry.contract.description import (
    CONTRACT_KEY,
    EVIDENCE,
    FORM_KEY,
    FORMAT_KEY,
    FORMAT_VERSION,
    INPUT_NAME,
    OUTPUT_NAMES,
    PRECISION_KEY,
    PRECISIONS,
    READABLE_VERSIONS,
    SERIES_INPUT_NAME,
    ModelContract,
    RegimeSummary,
    precision_of,
)

__all__ = [
    "CONTRACT_KEY",
    "EVIDENCE",
    "FORMAT_KEY",
    "FORMAT_VERSION",
    "FORM_KEY",
    "INPUT_NAME",
    "OUTPUT_NAMES",
    "PRECISIONS",
    "PRECISION_KEY",
    "READABLE_VERSIONS",
    "SERIES_INPUT_NAME",
    "ModelContract",
    "RegimeSummary",
    "precision_of",
]
