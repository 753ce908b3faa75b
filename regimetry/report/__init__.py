"""Stage 8: figures and pages; :func:`plot` and :func:`plot_candidates` draw into your own axes."""

from regimetry.report.plotting import plot, plot_candidates

__all__ = ["plot", "plot_candidates"]
