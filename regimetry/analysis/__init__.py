"""Stage 7: statistics of label sequences, on numpy alone.

One concept per file; :func:`analyse_labels` joins those that need labels alone.
"""

from regimetry.analysis.agreement import Agreement, adjusted_rand, agreement
from regimetry.analysis.alarms import Alarms, novelty_alarms
from regimetry.analysis.analyse import Analysis, analyse_labels
from regimetry.analysis.apart import Apart, apart
from regimetry.analysis.changes import ChangePoints, change_points
from regimetry.analysis.comparable_novelty import comparable_novelty
from regimetry.analysis.conditional import ConditionalStatistics, conditional_statistics
from regimetry.analysis.decisions import decision_table
from regimetry.analysis.drift import Drift, DriftLine, detect_drift
from regimetry.analysis.dwell import DwellTimes, dwell_times, expected_dwell
from regimetry.analysis.entropy import entropy_rate, transition_entropy
from regimetry.analysis.forecasts import forecast, hitting_times
from regimetry.analysis.geometric import GeometricTest, geometric_test
from regimetry.analysis.moved import Moved, MovedRegime, moved
from regimetry.analysis.panel import Comovement, PanelAnalysis, analyse_panel, comovement
from regimetry.analysis.performance import (
    Performance,
    performance,
    performances,
    simple_returns,
)
from regimetry.analysis.spells import Spells, spells_of
from regimetry.analysis.stationary import Stationary, long_run, stationary_distribution
from regimetry.analysis.transitions import Transitions, estimate_transitions, transition_matrix

__all__ = [
    "Agreement",
    "Alarms",
    "Analysis",
    "Apart",
    "ChangePoints",
    "Comovement",
    "ConditionalStatistics",
    "Drift",
    "DriftLine",
    "DwellTimes",
    "GeometricTest",
    "Moved",
    "MovedRegime",
    "PanelAnalysis",
    "Performance",
    "Spells",
    "Stationary",
    "Transitions",
    "adjusted_rand",
    "agreement",
    "analyse_labels",
    "analyse_panel",
    "apart",
    "change_points",
    "comovement",
    "comparable_novelty",
    "conditional_statistics",
    "decision_table",
    "detect_drift",
    "dwell_times",
    "entropy_rate",
    "estimate_transitions",
    "expected_dwell",
    "forecast",
    "geometric_test",
    "hitting_times",
    "long_run",
    "moved",
    "novelty_alarms",
    "performance",
    "performances",
    "simple_returns",
    "spells_of",
    "stationary_distribution",
    "transition_entropy",
    "transition_matrix",
]
