"""Exceptions: each message states what was found, what was expected and the remedy."""


class RegimetryError(Exception):
    """Base of every error this package raises on purpose."""


class DataError(RegimetryError, ValueError):
    """The data handed in cannot be used as it is."""
