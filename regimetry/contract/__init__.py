"""What a model file says about itself."""

from regimetry.contract.choices import Alignment, Candidate, Landmarks
from regimetry.contract.description import (
    CONTRACT_KEY,
    FORM_KEY,
    FORMAT_KEY,
    FORMAT_VERSION,
    PRECISION_KEY,
    PRECISIONS,
    READABLE_VERSIONS,
    SEALED_VERSION,
    ModelContract,
    RegimeSummary,
)
from regimetry.contract.known import KnownRecord
from regimetry.contract.reading import precision_of, read_contract
from regimetry.contract.record import RefinementRecord, RuleReport, TrainingRecord
from regimetry.contract.signature import (
    ALL_OUTPUTS,
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
    "ALL_OUTPUTS",
    "CONTRACT_KEY",
    "FORMAT_KEY",
    "FORMAT_VERSION",
    "FORM_KEY",
    "INPUT_NAME",
    "OUTPUTS",
    "OUTPUT_NAMES",
    "PRECISIONS",
    "PRECISION_KEY",
    "READABLE_VERSIONS",
    "SEALED_VERSION",
    "SERIES_INPUT_NAME",
    "Alignment",
    "Candidate",
    "KnownRecord",
    "Landmarks",
    "ModelContract",
    "Output",
    "RefinementRecord",
    "RegimeSummary",
    "RuleReport",
    "Signature",
    "Tensor",
    "TrainingRecord",
    "output_tensors",
    "precision_of",
    "read_contract",
]
