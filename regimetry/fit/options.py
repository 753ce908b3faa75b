"""What a fit depends on besides the rows: each option is declared, described and checked once.

A new parameter of :class:`~regimetry.RegimeDetector` is a field here and an argument there. The
fields of a configuration and the flags of the command line come from these fields.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from regimetry.contract.consistency import is_plain
from regimetry.contract.wording import UNIT, is_word
from regimetry.encoder.config import DEFAULT_ENCODER, EncoderConfig
from regimetry.encoder.objectives import OBJECTIVES, OF_EMBEDDINGS
from regimetry.encoder.pretraining.config import AUTO, PretrainedEncoder, pretrained_of
from regimetry.errors import ConfigError
from regimetry.export.opset import OPSET, Opset
from regimetry.parameters import option, to_python
from regimetry.series.rules import ReadingRules
from regimetry.series.scaling import Scaling

_MOST_REGIMES = 10_000  # that can have names by number


@dataclass(frozen=True, kw_only=True)
class FitOptions(ReadingRules):
    """Options of a fit, checked; values of numpy become plain Python.

    How rows are read is described at :class:`~regimetry.series.rules.ReadingRules`.

    Parameters
    ----------
    categorical, difference
        Columns; "auto" differences those near a unit root.
    window_size
        "auto" chooses one of 10, 20, 40 ... 320 together with the number of regimes, or for the one
        that is given; see :mod:`regimetry.regimes.choice.rule`.
    n_regimes
        "auto" chooses one of 1 to 9.
    unit
        What a row is called to people, in one word, such as bar, sample or minute.
    names
        Of the regimes: "auto" calls them by what they are, see
        :func:`~regimetry.regimes.naming.automatic_names`; a tuple has one for each, in canonical
        order, where empty text leaves the number. Regimes of an earlier model keep its names.
        Without names they are ``regime_0``, ``regime_1`` ...: names are names of columns, so they
        come when asked for.
    min_dwell
        For "auto": half of the bars of each regime lie in spells at least this long.
    encoder : EncoderConfig, "pretrained", keras.Model or path
        Of a configuration, the window size and the number of features are set from the fit. A
        functional or Sequential model, windows (batch, W, F) to embeddings (batch, D), is copied:
        training starts from its weights. A path is that of an ONNX file of the same form, exported
        from anywhere, which is not trained; or that of weights (.npz) of a pretraining of one's own
        (:mod:`regimetry.encoder.pretraining`). "pretrained" takes the weights that come with
        regimetry. "auto" compares these with the convolutions by the rule that chooses windows.
        ``None`` becomes tokens of 64 with moments pooling.
    objective, epochs
        Of the training, which stops early when the validation loss no longer falls, or by Ctrl-C;
        the fit goes on. Without an objective the weights stay random, which the benchmark of
        docs/training.md finds as good.
    n_landmarks
        M, most windows that the spectral map is built on.
    max_windows
        Beyond it, units of columns and slow directions are computed from all windows, in one pass
        each; the rest from stretches of 1024 windows, evenly spread over time and instruments.
    scaling
        Of many instruments: "instrument" brings each one's columns to the average mean and
        deviation first, "pooled" reads all without scaling. The file keeps each instrument's map.
        An instrument that the fit has not seen is read without scaling, like an average one.
    evidence
        "auto": single bars, by the likelihood of each bar in each regime given the bars before, if
        these labels explain windows about as well as the windows' own labels do. Otherwise, and
        always with "window": whole windows, by the distance to each regime's centroid.
    jump_penalty, smooth_penalty
        Prices of a change of regime, in units of distance. "auto", with single bars: the log odds
        of staying, which the fit found; 1 less for causal labels, because the bar of the change
        is not known. "auto", with windows: W / 10 for causal labels and 3 W / 10 for whole series
        (distances are 0 to 2).
    opset
        Of the model file; runtimes of 2023 and later read both.
    seed
        Of weights, training, landmarks and k-means.
    device
        Where onnxruntime embeds the training windows; "auto" falls back to the CPU. Another device
        rounds otherwise, so the file may differ in the last digits.
    deterministic
        Operators that give the same bits every time, also on a GPU; TensorFlow keeps them on for
        the rest of the process. On a CPU a fit repeats without it.

    Raises
    ------
    ConfigError
        A value is not allowed, or two exclude each other.
    """

    categorical: tuple[str, ...] = option((), "columns of names", metavar="A,B")
    difference: Literal["auto", "none"] | tuple[str, ...] = option(
        "auto",
        "columns to difference first; auto finds those near a unit root",
        metavar="auto|none|A,B",
    )
    window_size: int | Literal["auto"] = option(
        "auto", "number of rows that a label uses; auto chooses it", minimum=2, metavar="ROWS"
    )
    n_regimes: int | Literal["auto"] = option(
        "auto", "number of regimes; auto chooses from a table of candidates", minimum=1, metavar="K"
    )
    unit: str = option(UNIT, "what a row is called, such as bar or sample", metavar="WORD")
    names: Literal["auto"] | tuple[str, ...] | None = option(
        None, "names of the regimes; auto calls them by what they are", metavar="auto|none|A,B"
    )
    min_dwell: int | None = option(
        None,
        "for auto, the shortest time that a regime lasts, in rows; null means no bound",
        minimum=1,
        metavar="ROWS",
    )
    objective: str | None = option(
        None, "how to train the encoder; none leaves its weights as they are", choices=OBJECTIVES
    )
    epochs: int | None = option(
        None,
        "passes of training at most; null means the objective's own budget",
        minimum=1,
        metavar="N",
    )
    n_landmarks: int = option(
        1000, "largest number of windows that the spectral map is built on", minimum=2, metavar="N"
    )
    max_windows: int = option(
        200_000,
        "largest number of windows that the fit keeps; from more it takes a sample",
        minimum=2,
        metavar="N",
    )
    scaling: Scaling = option(
        "instrument",
        "with by: scale each instrument by itself, or read all without scaling (pooled)",
    )
    evidence: Literal["auto", "window"] = option(
        "auto", "what tells regimes apart: single bars if they can (auto), or whole windows"
    )
    jump_penalty: float | Literal["auto"] = option(
        "auto", "price of a change of regime in causal labels", minimum=0, metavar="X"
    )
    smooth_penalty: float | Literal["auto"] = option(
        "auto", "the same for labels that look ahead", minimum=0, metavar="X"
    )
    opset: Opset = option(OPSET, "opset of the file")
    seed: int = option(
        0, "seed of weights, training, landmarks and clusters", minimum=0, metavar="N"
    )
    device: Literal["cpu", "cuda", "auto"] = option("cpu", "where the fit embeds windows")
    deterministic: bool = option(False, "make TensorFlow give the same bits again, also on a GPU")
    encoder: Any = option(DEFAULT_ENCODER, "architecture of the encoder")

    def __post_init__(self) -> None:
        super().__post_init__()
        require_names(self.names, self.n_regimes)
        require_unit(self.unit)
        encoder = DEFAULT_ENCODER if self.encoder is None else self.encoder
        if isinstance(encoder, str | PathLike):
            encoder = _named(encoder)
        object.__setattr__(self, "encoder", encoder)
        require_encoder(encoder, self.objective)
        if encoder == AUTO or isinstance(encoder, EncoderConfig | PretrainedEncoder):
            return
        if not isinstance(encoder, Path) and not _is_model(encoder):
            raise ConfigError(
                f"encoder is {encoder!r}; it must be an EncoderConfig, 'pretrained', 'auto', a "
                "Keras model, the path of an .onnx file, of weights (.npz), or None."
            )
        if self.window_size == "auto":
            raise ConfigError(
                "window_size is 'auto', but the encoder is a model whose windows have one size; "
                "give that size."
            )
        if isinstance(encoder, Path) and self.objective is not None:
            raise ConfigError(
                f"objective is {self.objective!r}, which trains an EncoderConfig or a Keras model; "
                f"the encoder is the file {encoder}. Leave objective=None."
            )

    @classmethod
    def of(cls, detector: Any) -> FitOptions:
        """Return the options that the parameters of a detector are."""
        names = [entry.name for entry in fields(FitOptions) if entry.name != "seed"]
        given: dict[str, Any] = {name: getattr(detector, name) for name in names}
        if isinstance(given["names"], Mapping):
            given["names"] = _in_order(given["names"])
        return FitOptions(**given, seed=_seed(detector.random_state))


def _seed(random_state: Any) -> int:
    """Return an integer itself, or draw one."""
    from sklearn.utils import check_random_state

    try:
        generator = check_random_state(random_state)
    except ValueError as error:
        raise ConfigError(
            f"random_state is {random_state!r}; it must be None, a RandomState or an integer from "
            "0 to 4294967295."
        ) from error
    given = isinstance(random_state, Integral)
    return int(random_state) if given else int(generator.randint(2**31 - 1))


def _in_order(names: Mapping[Any, Any]) -> tuple[Any, ...]:
    """Return names by number as a list, with empty text for those that have none."""
    numbers = {to_python(number): name for number, name in names.items()}
    if not numbers or not all(type(n) is int and 0 <= n < _MOST_REGIMES for n in numbers):
        raise ConfigError(
            f"names is {dict(names)!r}; a mapping gives names by numbers of regimes, such as "
            "{0: 'calm', 2: 'crash'}."
        )
    return tuple(numbers.get(number, "") for number in range(max(numbers) + 1))


def require_encoder(encoder: object, objective: str | None) -> None:
    """Raise :class:`ConfigError` if a pretrained encoder is missing, or cannot be trained so."""
    if encoder == AUTO and objective is not None:
        raise ConfigError(
            f"objective is {objective!r}, which trains one encoder, and encoder='auto' chooses "
            "between two. Name one, such as encoder='pretrained'."
        )
    if not isinstance(encoder, PretrainedEncoder):
        return
    if encoder.path is not None and not encoder.path.is_file():
        raise ConfigError(
            f"encoder is {str(encoder.path)!r}, which is no file; expected weights (.npz) that "
            "`python -m regimetry.encoder.pretraining` wrote. Give their path, or 'pretrained' for "
            "those that come with regimetry."
        )
    if objective not in (None, *OF_EMBEDDINGS):
        raise ConfigError(
            f"objective is {objective!r}, which scores every row, and the pretrained encoder has "
            f"patches of rows. Use {', '.join(OF_EMBEDDINGS)}, or no objective."
        )


def require_unit(unit: str) -> None:
    """Raise :class:`ConfigError` unless a unit is one word."""
    if not is_word(unit):
        raise ConfigError(f"unit is {unit!r}; it must be one word, such as bar or sample.")


def require_names(names: object, n_regimes: object) -> None:
    """Raise :class:`ConfigError` unless names, if given, are different and not too many."""
    if not isinstance(names, tuple):
        return
    own = [name for name in names if name]
    if len(set(own)) < len(own) or not all(map(is_plain, own)):
        raise ConfigError(
            f"names is {list(names)!r}; the names must be different, without control characters."
        )
    if isinstance(n_regimes, int) and len(names) > n_regimes:
        raise ConfigError(
            f"names has {len(names)} names, and n_regimes is {n_regimes}; give one for each regime."
        )


def _named(encoder: str | PathLike[str]) -> object:
    """Return what a name or the path of a file stands for."""
    name = str(encoder)
    return pretrained_of(name) or (Path(name) if name.endswith(".onnx") else encoder)


def _is_model(value: object) -> bool:
    """Whether a value is a Keras model; without importing Keras, which such a value has done."""
    loaded = sys.modules.get("keras")
    return loaded is not None and isinstance(value, loaded.Model)
