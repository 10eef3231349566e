"""Matching: few and many IoUs are gone through in two ways, which agree."""

import torch

from roilearn.models.targets import matching


def test_few_and_many_numbers_give_the_same_and_the_first_of_equal_objects(monkeypatch):
    iou = torch.randint(0, 4, (6, 50), generator=torch.Generator().manual_seed(0)) / 4
    few = matching.match(iou, 0.7, 0.3)
    overlap, best_object = matching.highest_of_each(iou)
    assert best_object.tolist() == [column.index(max(column)) for column in iou.T.tolist()]
    monkeypatch.setattr(matching, "SMALL", 0)
    assert torch.equal(matching.match(iou, 0.7, 0.3), few)
    assert torch.equal(matching.highest_of_each(iou)[0], overlap)
