"""Stage 1 of a fit: from a source of rows to common units and to what the fit looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import TrainingRecord
from regimetry.errors import DataError
from regimetry.fit.source import Embedder, Source, choose_sample
from regimetry.series.panel import Panel
from regimetry.series.preprocessing import Preprocessing
from regimetry.series.scaling import InstrumentScaling
from regimetry.series.units import fit_units
from regimetry.windows import rolling_windows

if TYPE_CHECKING:
    import keras

    from regimetry.regimes.clustering.slow import SlowDirections


@dataclass(frozen=True)
class TrainingRows:
    """What the rows of a source came to.

    Attributes
    ----------
    preprocessing : Preprocessing
        Of rows in common units.
    scaling : InstrumentScaling or None
        What brings them there.
    sample, scaled : Panel
        The rows to look at, as they are and in common units.
    complete : bool
        Whether these hold every window there is.
    n_rows, n_instruments, n_short : int
        In all, with those that are not looked at; instruments too short for a window.
    """

    preprocessing: Preprocessing
    scaling: InstrumentScaling | None
    sample: Panel
    scaled: Panel
    complete: bool
    n_rows: int
    n_instruments: int
    n_short: int

    @property
    def record(self) -> TrainingRecord:
        """What the file keeps of them: of one series seen whole, how many there are."""
        panel = self.sample.instruments is not None
        return TrainingRecord(
            rows=self.n_rows,
            sampled_rows=len(self.sample.values) if panel or not self.complete else None,
            instruments=self.n_instruments if panel else None,
            short_instruments=self.n_short if panel else None,
        )


def training_rows(
    source: Source,
    *,
    window_size: int,
    max_windows: int,
    difference: str | Sequence[str],
    own_units: bool,
) -> TrainingRows:
    """Measure all rows, and take the sample.

    Parameters
    ----------
    source : Source
    window_size : int
        W.
    max_windows : int
        Most windows of the sample.
    difference : {"auto", "none"} or sequence of str
        As for :class:`~regimetry.RegimeDetector`.
    own_units : bool
        Give each instrument units of its own.

    Returns
    -------
    TrainingRows

    Raises
    ------
    DataError
        A column is constant, or no instrument is as long as a window.
    ConfigError
        ``difference`` is neither a known word nor a list of columns.
    """
    statistics, names = source.statistics(), source.instruments
    # What has no window says little about units, and gets none.
    long = [i for i, one in enumerate(statistics) if one.rows > window_size]
    long = long or list(range(len(statistics)))
    preprocessing, scaling = fit_units(
        [statistics[i] for i in long],
        source.schema.feature_names,
        difference,
        instruments=[names[i] for i in long] if own_units and names is not None else None,
    )
    window_rows = window_size + preprocessing.lag
    lengths = [one.rows for one in statistics]
    if names is not None and max(lengths) < window_rows + 1:
        raise DataError(
            f"The longest of {len(lengths)} instruments has {max(lengths)} rows; at least one "
            f"needs {window_rows + 1} for windows of {window_size}. Give more history or a "
            "smaller window_size."
        )
    chosen, complete = choose_sample(statistics, window_rows, max_windows)
    if names is None and complete:  # the fit itself says of a series that it is too short
        chosen = [[(0, lengths[0])]]
    sample = source.sample(chosen)
    return TrainingRows(
        preprocessing=preprocessing,
        scaling=scaling,
        sample=sample,
        scaled=sample.scaled(scaling),
        complete=complete,
        n_rows=sum(lengths),
        n_instruments=len(lengths),
        n_short=sum(length < window_rows for length in lengths),
    )


def slow_directions_of(source: Source, rows: TrainingRows, encoder: keras.Model) -> SlowDirections:
    """Return the slow directions of an encoder over all windows of a source, in one pass."""
    from regimetry.encoder.inference import embed_windows
    from regimetry.export.assemble import assemble_encoder
    from regimetry.export.convert import encoder_to_onnx
    from regimetry.export.rules import optimise
    from regimetry.regimes.clustering.slow import slow_directions

    window_size, size = encoder.inputs[0].shape[1], encoder.output_shape[-1]
    graph, _ = optimise(
        assemble_encoder(rows.preprocessing, encoder_to_onnx(encoder), window_size, size)
    )
    longest = max(rows.scaled.parts(), key=len)
    some = embed_windows(encoder, cut_part(rows.preprocessing, longest, window_size))
    embedder = Embedder(
        graph.SerializeToString(),
        rows.scaling,
        some.mean(axis=0, dtype="float64"),  # any will do: sums about it do not cancel
        window_size,
    )
    return slow_directions(source.lagged_sums(embedder))


def cut_windows(
    preprocessing: Preprocessing, values: NDArray[np.floating], window_size: int
) -> NDArray[np.float32]:
    """Return the preprocessed rolling windows (N, W, F) of a series (T, F), a view.

    Raises
    ------
    DataError
        Fewer rows than two windows need.
    """
    needed = window_size + preprocessing.lag + 1
    if len(values) < needed:
        raise DataError(
            f"{len(values)} rows are too few for windows of {window_size}; at least {needed} "
            "are needed. Give more rows or a smaller window_size."
        )
    return cut_part(preprocessing, values, window_size)


def cut_part(
    preprocessing: Preprocessing, values: NDArray[np.floating], window_size: int
) -> NDArray[np.float32]:
    """Return the windows of one part of several, of which one may hold a single window."""
    return rolling_windows(preprocessing.apply(values), window_size)
