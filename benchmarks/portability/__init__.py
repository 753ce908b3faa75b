"""The model file in other runtimes: ``python -m benchmarks.portability``.

Installs each release in an environment of its own, runs both forms of a model there against the
golden file, and prints a table. The package index is asked for each of them.
"""
