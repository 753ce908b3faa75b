"""The fields of a run: one place for the flags of ``regimetry fit``, ``--config`` and the checks.

They are the options of a fit, and what chooses the columns of a table.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from types import NoneType
from typing import Any, Literal

from regimetry.encoder.config import DEFAULT_ENCODER, EncoderConfig
from regimetry.encoder.objectives import OBJECTIVES
from regimetry.encoder.pretraining.config import PretrainedEncoder
from regimetry.errors import ConfigError
from regimetry.fit.options import FitOptions, require_encoder, require_names, require_unit
from regimetry.parameters import PYTHON, Words, allowed_of, check_fields, option
from regimetry.series.rules import ReadingRules

YAML: Words = {
    **PYTHON, bool: "true or false", NoneType: "null", "True": "true", "False": "false",
    "None": "null", PretrainedEncoder: "'pretrained', a path of weights (.npz)",
}  # fmt: skip
"""The words of a file."""


@dataclass(frozen=True, kw_only=True)
class TableOptions:
    """How a table is read, which columns of it, and which features are computed from them."""

    time_column: str | None = option(
        None, "column of times, which order the rows; null finds it", metavar="NAME"
    )
    day_first: bool | None = option(
        None, "whether 01/02/2000 is the first of February; null decides by all rows"
    )
    time_format: str | None = option(
        None, "form of the times, such as %d/%m/%Y; null reads the usual ones", metavar="FORM"
    )
    separator: str | None = option(
        None,
        "between the fields of text: one character, tab or space; null decides by the header",
        metavar="CHAR",
    )
    decimal: Literal[".", ","] | None = option(
        None, "decimal sign of text; null takes a point, or what all rows show"
    )
    encoding: str | None = option(
        None, "of text; null takes UTF-8, or what its bytes show", metavar="NAME"
    )
    rename: tuple[str, ...] = option(
        (), "columns to read under other names, OLD=NEW each", metavar="OLD=NEW,..."
    )
    by: str | None = option(
        None,
        "column that names the instrument of each row; null reads one series",
        metavar="NAME",
    )
    labels_column: str | None = option(
        None,
        "column of states where they are known, empty or -1 where not; the model does not read it",
        metavar="NAME",
    )
    columns: tuple[str, ...] | None = option(
        None, "columns to read; null takes all columns of numbers", metavar="A,B"
    )
    features: Literal["ohlcv"] | None = option(
        None,
        "compute features from the columns open, high, low, close and volume, and fit on them",
    )
    feature_window: int | None = option(
        None, "number of bars that each feature uses; null takes 5", minimum=2, metavar="BARS"
    )


@dataclass(frozen=True, kw_only=True)
class Configuration(FitOptions, TableOptions):
    """What a fit depends on besides the data; the comments of a printed file say what each is.

    Raises
    ------
    ConfigError
        A value is not allowed, or two fields exclude each other.
    """

    difference: Literal["auto", "none"] | tuple[str, ...] | None = option(  # type: ignore[assignment]  # wider
        None,
        "columns to difference first; auto takes those near a unit root; null means auto, or none "
        "with features",
        metavar="auto|none|A,B",
    )
    names: Literal["auto", "none"] | tuple[str, ...] = option(  # type: ignore[assignment]
        "none",
        "names of the regimes, the calmest first; auto calls them by what they are",
        metavar="auto|none|A,B",
    )
    objective: str = option(
        "none",
        "how to train the encoder; none leaves its weights as they are",
        choices=("none", *OBJECTIVES),
    )
    encoder: Literal["auto"] | PretrainedEncoder | EncoderConfig = option(
        DEFAULT_ENCODER,
        "the encoder: its architecture, pretrained, a file of weights (.npz), or auto, which "
        "chooses between the default and pretrained",
        metavar="auto|pretrained|FILE",
    )

    def __post_init__(self) -> None:
        check_fields(self, YAML)
        require_names(self.names, self.n_regimes)
        require_unit(self.unit)
        require_encoder(self.encoder, None if self.objective == "none" else self.objective)
        ReadingRules.of(self)
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
    return allowed_of(EncoderConfig if parent else Configuration)[child].words(YAML)


def from_text(name: str, text: str) -> Any:
    """Read a flag's text as a field's value; what does not fit stays text, to be refused."""
    takes = allowed_of(Configuration)[name]
    words = {str(choice): choice for choice in takes.choices}
    words |= {"null": None} if NoneType in takes.kinds else {}
    words |= {"true": True, "false": False} if bool in takes.kinds else {}
    if text in words:
        return words[text]
    if tuple in takes.kinds:
        return [part for part in map(str.strip, text.split(",")) if part]
    for number in (int, float):
        if number in takes.kinds:
            with suppress(ValueError):
                return number(text)
    return text
