import logging
from contextlib import chdir

import pytest

import regimetry as rg


@pytest.fixture(scope="session")
def single(model_path):
    """The small model on one thread: its last column is differenced in logarithms."""
    return rg.load(model_path, device="cpu", threads=1)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Two CPUs, started once, outside the checkout: Ray's workers look there for packages first."""
    import ray

    with chdir(tmp_path_factory.mktemp("cluster")):
        ray.init(
            num_cpus=2,
            include_dashboard=False,
            object_store_memory=100 << 20,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    yield ray
    ray.shutdown()
