import pytest

import regimetry as rg


@pytest.fixture(scope="session")
def single(model_path):
    """The small model on one thread: its last column is differenced in logarithms."""
    return rg.load(model_path, device="cpu", threads=1)
