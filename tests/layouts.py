"""Matrices as they lie in memory: any strides, alignments and orders of axes."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

LAYOUTS = ("rows", "columns", "backwards", "steps", "repeated", "misaligned", "read-only")


def laid_out(values, layout):
    """Return the same numbers in another layout ("repeated" repeats the first row)."""
    rows, cols = values.shape
    if layout == "columns":
        return np.asfortranarray(values)
    if layout == "backwards":
        return values[::-1, ::-1].copy()[::-1, ::-1]
    if layout == "steps":
        spread = np.zeros((3 * rows, 2 * cols), dtype=values.dtype)
        spread[::3, ::2] = values
        return spread[::3, ::2]
    if layout == "repeated":
        return np.broadcast_to(values[:1], values.shape) if rows else values
    if layout == "misaligned":
        memory = np.zeros(values.nbytes + 1, dtype=np.uint8)
        shifted = np.ndarray(values.shape, values.dtype, memory, offset=1)
        shifted[...] = values
        return shifted
    if layout == "read-only":
        values = values.copy()
        values.flags.writeable = False
    return values


@st.composite
def matrices(draw, dtypes=(np.float32, np.float64), rows=(0, 40), cols=(0, 6), elements=None):
    """Draw a matrix of one of the dtypes and layouts."""
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    shape = (draw(st.integers(*rows)), draw(st.integers(*cols)))
    if elements is None:
        elements = hnp.from_dtype(dtype)
    values = draw(hnp.arrays(dtype, shape, elements=elements))
    return laid_out(values, draw(st.sampled_from(LAYOUTS)))


SMALL = st.integers(-8, 8).map(lambda x: x / 4)
"""Numbers that float32 holds exactly, and whose sums are exact."""
