"""Search over configurations: a grid, scores that can be compared across it, a ranking.

Needs the ``train`` extra, and ``optuna`` where it is to choose.
"""
