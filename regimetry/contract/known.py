"""How the regimes of a fit stand to states that the user knew."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class KnownRecord:
    """Rows whose state was known at the fit, by their causal labels. K regimes, S states.

    Attributes
    ----------
    states : tuple of str
        Names of the S states.
    rows : int
        With a known state and a label.
    counts : tuple of tuple of int
        Rows by regime and state, K by S.
    mapping : tuple of int
        For each regime the state that it is, or -1: one to one, so that most rows agree (Kuhn
        1955); length K.
    share : float
        Of these rows, that are in the regime of their state.
    adjusted_rand : float
        Of regimes and states over these rows (Hubert, Arabie 1985).
    """

    states: tuple[str, ...]
    rows: int
    counts: tuple[tuple[int, ...], ...]
    mapping: tuple[int, ...]
    share: float
    adjusted_rand: float

    def is_possible(self, n_regimes: int) -> bool:
        """Say whether counts and mapping are of so many regimes and of these states."""
        size = len(self.states)
        told = [state for state in self.mapping if state != -1]
        return (
            len(self.mapping) == len(self.counts) == n_regimes
            and all(len(row) == size and min(row, default=0) >= 0 for row in self.counts)
            and len(set(told)) == len(told)
            and all(0 <= state < size for state in told)
        )

    @property
    def names(self) -> tuple[str, ...]:
        """What each regime is called by its state; empty where it has none."""
        return tuple("" if state < 0 else self.states[state] for state in self.mapping)
