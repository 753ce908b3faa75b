"""The table of outputs: what it says of a model, and that the documentation says the same."""

import re

import numpy as np
from places import DOCS

from regimetry.contract import OUTPUTS, Signature

PAGE = DOCS / "model-file.md"


def test_the_signature_has_the_models_sizes(model):
    assert Signature.of(model.contract) == Signature(
        ("window", np.dtype(np.float32), (11, 4)),
        (
            ("embedding", np.dtype(np.float32), (24,)),
            ("distance", np.dtype(np.float32), (3,)),
            ("regime", np.dtype(np.int64), ()),
            ("novelty", np.dtype(np.float32), ()),
        ),
    )
    assert Signature.of(model.contract, "series").input.shape == (4,)


def test_the_page_has_the_tolerances():
    verification = PAGE.read_text().partition("## Verification")[2]
    rows = re.findall(r"^\| `(\w+)` \| ([0-9e-]+) \|", verification, flags=re.MULTILINE)
    assert {name: float(value) for name, value in rows} == {o.name: o.tolerance for o in OUTPUTS}
