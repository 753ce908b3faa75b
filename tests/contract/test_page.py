"""The page about the model file names the fields that there are, and no others."""

import re
from dataclasses import fields

from places import DOCS

from regimetry.contract import (
    Alignment,
    Candidate,
    KnownRecord,
    Landmarks,
    ModelContract,
    RefinementRecord,
    RegimeSummary,
    RuleReport,
    TrainingRecord,
)
from regimetry.contract.density import DensityRecord
from regimetry.series.features import OhlcvFeatures
from regimetry.series.rules import ReadingRules

PAGE = (DOCS / "model-file.md").read_text("utf-8")


def named(page, heading):
    """Return the fields in the first column of the table under a heading, in order."""
    section = re.split(r"^#+ ", page.split(f"# {heading}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]
    cells = re.findall(r"^\| (`.*?) \|", section, flags=re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


def test_the_page_has_the_fields_of_the_file():
    for heading, kind in (
        ("The contract", ModelContract),
        ("Regimes", RegimeSummary),
        ("Reading", ReadingRules),
        ("Density", DensityRecord),
        ("The training record", TrainingRecord),
        ("Candidates", Candidate),
        ("Landmarks", Landmarks),
        ("Refinement", RefinementRecord),
        ("Rewrite rules", RuleReport),
        ("Features", OhlcvFeatures),
        ("Known states", KnownRecord),
        ("Alignment", Alignment),
    ):
        assert sorted(named(PAGE, heading)) == sorted(field.name for field in fields(kind))


def test_a_field_that_is_missing_or_invented_is_found():
    assert "by" in named(PAGE, "The contract")
    assert "by" not in named(PAGE.replace("| `by` |", "| `author` |"), "The contract")
    assert "author" in named(PAGE.replace("| `by` |", "| `author` |"), "The contract")
