"""The fields of a run: one place for the flags of ``regimetry fit``, ``--config`` and the checks.

A new parameter of :class:`~regimetry.RegimeDetector` is one more field here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Literal

from regimetry.configuration.types import in_words, types_of
from regimetry.encoder.config import DEFAULT_ENCODER, EncoderConfig
from regimetry.errors import ConfigError

Objective = Literal["none", "vamp2", "masked", "contrast", "vicreg", "next_bar"]
Evidence = Literal["auto", "window"]
Scaling = Literal["instrument", "pooled"]


def _option(default: Any, text: str, *, minimum: float | None = None, metavar: str = "") -> Any:
    """Declare a field: what it means, the least it may be, what its flag calls the value."""
    return field(
        default=default, metadata={"help": text, "minimum": minimum, "metavar": metavar or None}
    )


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What a fit depends on besides the data; the comments of a printed file say what each is.

    Raises
    ------
    ConfigError
        A number is below the least that its field allows, or two fields exclude each other.
    """

    time_column: str | None = _option(
        None, "column that orders the rows; null finds it by name", metavar="NAME"
    )
    by: str | None = _option(
        None,
        "column that names the instrument of each row; null reads one series",
        metavar="NAME",
    )
    columns: tuple[str, ...] | None = _option(
        None, "columns to read; null takes all that are numbers", metavar="A,B"
    )
    categorical: tuple[str, ...] = _option((), "columns of names", metavar="A,B")
    features: Literal["ohlcv"] | None = _option(
        None,
        "make features of the columns open, high, low, close and volume, and fit on those",
    )
    feature_window: int | None = _option(
        None, "bars that the features look back on; null takes 5", minimum=2, metavar="BARS"
    )
    difference: Literal["auto", "none"] | tuple[str, ...] | None = _option(
        None,
        "columns to difference first; auto finds those near a unit root; null is auto, and with "
        "features none",
        metavar="auto|none|A,B",
    )
    window_size: int | Literal["auto"] = _option(
        10, "bars that a label looks back on; auto chooses", minimum=2, metavar="BARS"
    )
    n_regimes: int | Literal["auto"] = _option(
        "auto", "how many; auto chooses from a table of candidates", minimum=1, metavar="K"
    )
    min_dwell: int | None = _option(
        None,
        "bars that a regime lasts at least, for auto; null is five windows",
        minimum=1,
        metavar="BARS",
    )
    objective: Objective = _option(  # noqa: RUF009
        "none", "what the encoder is trained on; none leaves its weights random"
    )
    epochs: int | None = _option(
        None, "most passes of training; null is the objective's own budget", minimum=1, metavar="N"
    )
    n_landmarks: int = _option(
        1000, "most windows that the spectral map is built on", minimum=2, metavar="N"
    )
    max_windows: int = _option(
        200_000, "most windows that the fit looks at one by one", minimum=2, metavar="N"
    )
    scaling: Scaling = _option(  # noqa: RUF009
        "instrument", "with by: each instrument in its own units, or all as they are"
    )
    evidence: Evidence = _option(  # noqa: RUF009
        "auto", "what tells regimes apart: single bars if they can (auto), or whole windows"
    )
    jump_penalty: float | Literal["auto"] = _option(
        "auto", "price of a change of regime in causal labels", minimum=0, metavar="X"
    )
    smooth_penalty: float | Literal["auto"] = _option(
        "auto", "the same for labels that look ahead", minimum=0, metavar="X"
    )
    opset: Literal[17, 18] = _option(17, "of the file")
    seed: int = _option(0, "of weights, training, landmarks and clusters", minimum=0, metavar="N")
    deterministic: bool = _option(
        False, "make TensorFlow repeat to the bit where it would not, as on a GPU"
    )
    encoder: EncoderConfig = _option(DEFAULT_ENCODER, "architecture of the encoder")  # noqa: RUF009

    def __post_init__(self) -> None:
        for entry in fields(self):
            least, value = entry.metadata["minimum"], getattr(self, entry.name)
            if least is not None and isinstance(value, int | float) and not value >= least:
                raise ConfigError(f"{entry.name} is {value!r}; it must be {allowed(entry.name)}.")
        if self.features is None and self.feature_window is not None:
            raise ConfigError(
                f"feature_window is {self.feature_window}; it has no meaning without features."
            )
        if self.features is not None and self.by is not None:
            raise ConfigError(
                f"by is {self.by!r}; it has no meaning with features, which are made of the bars "
                "of one instrument. Make them for each (OhlcvFeatures.frame), and fit on those."
            )
        if self.features is not None and self.categorical:
            raise ConfigError(
                f"categorical is {list(self.categorical)}; it has no meaning with features, since "
                "bars hold numbers only."
            )


DERIVED = ("window_size", "num_features")
"""Fields of :class:`EncoderConfig` that the fit sets: from the run and from the data."""


def allowed(name: str) -> str:
    """Say in words what a field takes; ``encoder.NAME`` is a field of the encoder."""
    parent, _, child = name.rpartition(".")
    if parent:
        return in_words(types_of(EncoderConfig)[child])
    entry = next(entry for entry in fields(Configuration) if entry.name == name)
    return in_words(types_of(Configuration)[name], entry.metadata["minimum"])
