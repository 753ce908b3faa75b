"""The pages say of the shipped weights what their card says."""

import csv

import pytest
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


@pytest.mark.parametrize("name", ["without_garch_tails_jumps", "without_waveform_kind"])
def test_the_page_says_what_weights_have_never_seen(name):
    card = read_weights(ROOT / "models" / "pretraining" / f"{name}.npz").card
    assert sorted(card["without"]) == sorted(name.split("_")[1:])
    page = PAGES[1]
    for text in (
        f"`{name}.npz`",
        f"--without {' '.join(name.split('_')[1:])}",
        f"{card['series']:,} series".replace(",", " "),
        f"{card['entropy']:.3f}".lstrip("0"),
    ):
        assert text in page
