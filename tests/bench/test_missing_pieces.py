"""Pieces taken out of a trained model: what was recorded, and that taking out is undone."""

import torch

from roilearn import data, models
from roilearn.bench.detectors import missing_pieces
from roilearn.bench.recorded.missing_pieces import read_missing_pieces


def test_the_record_is_whole_and_chapter_7_says_what_it_shows():
    whole, *rows = read_missing_pieces()
    assert (whole.block, whole.scenes) == ("none", missing_pieces.SCENES)
    model, _ = models.load_model("SHAPES")
    blocks = [name for name, _ in missing_pieces.identity_blocks(model.backbone.body)]
    assert [(row.block, row.piece) for row in rows] == [
        (name, piece) for name in blocks for piece in missing_pieces.PIECES
    ]
    for branch, shortcut in zip(rows[::2], rows[1::2], strict=True):
        assert shortcut.found < 0.8 * whole.found < 0.85 * whole.found < branch.found


def test_pieces_are_counted_one_at_a_time_and_put_back():
    model, _ = models.load_model("SHAPES")
    scene = data.example_scene()
    counts = list(missing_pieces.count_without(model.eval(), [scene]))
    assert counts[0] == ("none", "none", 3)
    assert ("layer1.1", "shortcut", 0) in counts
    assert missing_pieces.count_found(model, [scene]) == 3


def test_a_piece_that_is_taken_out_gives_zeros():
    block = models.IdentityBlock(models.basic_branch(2, 2)).eval()
    features = torch.randn(1, 2, 4, 5)
    missing_pieces.take_out(block, "branch")
    assert torch.equal(block(features), torch.relu(features))
    missing_pieces.put_back(block, "branch")
    missing_pieces.take_out(block, "shortcut")
    assert torch.equal(block(features), torch.relu(block.branch(features)))
