"""What a model file keeps of its fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from regimetry.contract.choices import Alignment, Candidate
from regimetry.contract.known import KnownRecord
from regimetry.series.features.pipeline import OhlcvFeatures

_ALWAYS = ("start", "end", "eigenvalues")  # written even where they hold nothing


@dataclass(frozen=True, kw_only=True)
class RuleReport:
    """What one rewrite rule did to the graph.

    Attributes
    ----------
    rule : str
    applied : int
        Places where it applied.
    refused : tuple of str
        Places where it could have applied, each with the reason why it did not.
    nodes_before, nodes_after : int
    operations_before, operations_after : int
        Multiply-accumulates of the matrix products of one window.
    bytes_before, bytes_after : int
        Of the constants.
    """

    rule: str
    applied: int
    refused: tuple[str, ...]
    nodes_before: int
    nodes_after: int
    operations_before: int
    operations_after: int
    bytes_before: int
    bytes_after: int


@dataclass(frozen=True, kw_only=True)
class RefinementRecord:
    """The evidence of single bars: what the fit found.

    Attributes
    ----------
    channels : tuple of int
        Features that are read.
    order : int
        Of the autoregression.
    freedom : tuple of float
        Degrees of freedom of each regime's tails; length K.
    stay : float
        Probability of staying in a regime from one bar to the next.
    agreement : float
        Adjusted Rand index between its whole-series labels and those of the windows.
    explained, explained_by_windows : float or None
        Correlation ratios: the share of the windows' variance that its labels, and those of the
        windows, explain W bars away.
    criterion : float
        Bayesian information criterion as penalised log-likelihood, in nats; higher is better.
    """

    channels: tuple[int, ...]
    order: int
    freedom: tuple[float, ...]
    stay: float
    agreement: float
    explained: float | None = None
    explained_by_windows: float | None = None
    criterion: float


@dataclass(frozen=True, kw_only=True)
class TrainingRecord:
    """What a model file keeps of its fit. Files without an entry are read with its default.

    Attributes
    ----------
    rows : int
        T, of all instruments together.
    windows : int
        N, windows that the fit used.
    start, end : str or None
        Timestamps of the first and the last row; ``None`` where rows had none.
    fingerprint : str
        SHA-256 of the training rows.
    seed : int
    configuration : mapping
        Parameters of the detector as they were given, the encoder's as they were used.
    history : mapping of str to tuple of float
        Loss curves, one number per round; empty if untrained.
    eigenvalues : tuple of float
        Of the affinity of the windows.
    versions : mapping of str to str
        Of the packages that the fit used.
    candidates : tuple of Candidate
        Window sizes and numbers of regimes that were compared; what was given, where both were.
    refinement : RefinementRecord or None
        Only where ``evidence`` is ``bar``.
    graph : tuple of RuleReport
        What each rewrite rule did, in order.
    sampled_rows : int or None
        Rows that the fit used, if it read a panel or a sample.
    instruments, short_instruments : int or None
        Of a panel: how many, and how many of them were too short for a window.
    features : OhlcvFeatures or None
        What computes the columns from price bars; ``None`` if the model reads columns directly.
    alignment : Alignment or None
        To an earlier model.
    kept_levels : tuple of str
        Columns that look like random walks and were not differenced, since they sit on a few
        levels.
    step : float or None
        Median time between two rows, in seconds; ``None`` where rows have no dates.
    alarms : int or None
        Times that the novelty flag went up over the training rows; ``None`` if they were sampled.
    known : KnownRecord or None
        How the regimes stand to states that the user knew, if any.
    """

    rows: int = 0
    windows: int = 0
    start: str | None = None
    end: str | None = None
    fingerprint: str = ""
    seed: int = 0
    configuration: Mapping[str, Any] = field(default_factory=dict)
    history: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    eigenvalues: tuple[float, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    candidates: tuple[Candidate, ...] = ()
    refinement: RefinementRecord | None = None
    graph: tuple[RuleReport, ...] = ()
    sampled_rows: int | None = None
    instruments: int | None = None
    short_instruments: int | None = None
    features: OhlcvFeatures | None = None
    alignment: Alignment | None = None
    kept_levels: tuple[str, ...] = ()
    step: float | None = None
    alarms: int | None = None
    known: KnownRecord | None = None

    @property
    def compared(self) -> tuple[Candidate, ...]:
        """The candidates to show: all of the model's window size, and the best of each other."""
        own = {entry.window_size for entry in self.candidates if entry.chosen}
        best: dict[int | None, Candidate] = {}
        for entry in self.candidates:
            known = best.setdefault(entry.window_size, entry)
            if _rank(entry) > _rank(known):
                best[entry.window_size] = entry
        return tuple(
            entry
            for entry in self.candidates
            if entry.window_size in own or entry is best[entry.window_size]
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data; what was not recorded has no entry."""
        found = {
            name: value
            for name, value in asdict(self).items()
            if value not in (None, ()) or name in _ALWAYS
        }
        for candidate in found.get("candidates", ()):
            if candidate["encoder"] is None:
                del candidate["encoder"]
        return found


def _rank(entry: Candidate) -> tuple[bool, float]:
    """Return what orders candidates: scores, but what is only beaten before what is refused."""
    return entry.chosen, -1.0 if entry.score is None else entry.score
