"""The scoreboard: recordings from outside, toys, nulls and simulators, all chosen by the product.

``python -m benchmarks.outside`` fits :class:`~regimetry.RegimeDetector` with its defaults to every
series of the sets, and prints one table. Recordings lie in the folder that ``REGIMETRY_DATA``
names.
"""
