"""The pages say of the shipped weights what their card says."""

import csv

from places import DOCS, ROOT

from regimetry.encoder.pretraining.checkpoint import Checkpoint
from regimetry.encoder.pretraining.weights import BUILT_IN, read_weights, sum_of

PAGES = [
    " ".join(path.read_text("utf-8").split())
    for path in (DOCS / "pretraining.md", ROOT / "models" / "pretraining" / "README.md")
]


def test_the_pages_name_series_hours_and_scores():
    card = read_weights(BUILT_IN).card
    said = [
        f"{card['series']:,} series".replace(",", " "),
        f"{card['hours']:.2f} hours",
        f"{card['entropy']:.3f}".lstrip("0"),
        f"{card['right']:.0%}".replace("%", " %"),
    ]
    for page in PAGES:
        assert [text for text in said if text not in page] == []


def test_the_checkpoint_is_that_of_the_shipped_weights():
    folder = ROOT / "models" / "pretraining"
    state = Checkpoint.read(folder)
    assert sum_of(state.average) == read_weights(BUILT_IN).sum
    with (folder / "curve.csv").open(newline="") as file:
        last = list(csv.DictReader(file))[-1]
    assert int(last["series"]) == state.series == read_weights(BUILT_IN).card["series"]
