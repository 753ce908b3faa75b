import graphs
import pytest

from regimetry.export.rules import RULES, optimise
from regimetry.export.rules.projected_averages import ProjectedAverages
from regimetry.export.rules.projected_scores import ProjectedScores

FOLDED = RULES[:5]
NARROW = {"num_features": 3, "embedding_dim": 24, "head_size": 24, "num_transformer_blocks": 2}


@pytest.mark.parametrize("rule", [ProjectedScores(), ProjectedAverages()])
@pytest.mark.parametrize(
    "fields",
    [{}, {"look_ahead_mask": True}, {"padding_mask": True}, {"encoding_method": "learnable"},
     {"num_heads": 3}],
)  # fmt: skip
def test_the_first_block_works_on_features(rule, fields):
    encoder = graphs.random_encoder(**NARROW, **fields)
    found, report, *known = graphs.check_rule(encoder, *FOLDED, rule)
    assert report.operations_after < report.operations_before
    names = [t.name for t in found.graph.initializer if t.name.startswith(f"{rule.name}/")]
    changed = [n for n in names if graphs.rank_of(found, n) == 2]
    assert changed
    for name in changed:
        graphs.require_sensitive(found, name, *known)


@pytest.mark.parametrize("rule", [ProjectedScores(), ProjectedAverages()])
def test_wide_rows_are_refused_with_the_operations(rule):
    encoder = graphs.random_encoder(**(NARROW | {"num_features": 40}))
    _, report = graphs.apply_rule(graphs.plain_onnx(encoder), *FOLDED, rule)
    assert report.applied == 0
    assert "multiply-accumulates a window instead of" in report.refused[0]


def test_later_blocks_are_refused_with_a_reason():
    encoder = graphs.random_encoder(**NARROW)
    _, report = graphs.apply_rule(graphs.plain_onnx(encoder), *FOLDED, ProjectedScores())
    assert report.applied == 1
    assert "a token comes from Reshape, expected Add" in report.refused[0]


def test_no_projection_no_rule():
    encoder = graphs.random_encoder(embedding_dim=None)
    _, reports = optimise(graphs.plain_onnx(encoder))
    assert [report.applied for report in reports if report.rule.startswith("projected")] == [0, 0]
