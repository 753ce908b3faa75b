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

    @property
    def names(self) -> tuple[str, ...]:
        """What each regime is called by its state; empty where it has none."""
        return tuple("" if state < 0 else self.states[state] for state in self.mapping)
