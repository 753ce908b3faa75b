"""Stage 7: statistics of label sequences, on numpy alone."""

from regimetry.analysis.spells import Spells, spells_of
from regimetry.analysis.transitions import transition_matrix

__all__ = ["Spells", "spells_of", "transition_matrix"]
