"""The answers of the page on ideas that plug in are right by another road: the package's code."""

import numpy as np
import pytest
import torch

from roilearn import exercises
from roilearn.exercises import chapter15b
from roilearn.models.extensions.distillation import distillation_loss
from roilearn.models.extensions.image_pyramid import merge_detections


def test_the_loss_by_hand_is_the_package_s():
    teacher, student = torch.tensor([[9.0, 1.0]]).log(), torch.zeros(1, 2)
    loss = distillation_loss(student, teacher, temperature=2).item()
    assert loss == pytest.approx(chapter15b.DISTILLATION.answer, abs=1e-6)


def test_the_box_by_hand_covers_the_same_pixels():
    image = torch.zeros(128, 160)
    x1, y1, x2, y2 = chapter15b.BACK.answer.astype(int)
    image[y1:y2, x1:x2] = 1
    mirrored = image.flip(1)[None, None]
    enlarged = torch.nn.functional.interpolate(mirrored, scale_factor=1.5, mode="nearest-exact")
    rows, columns = enlarged[0, 0].nonzero(as_tuple=True)
    found = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    assert [int(edge) for edge in found] == [30, 45, 90, 120]


@pytest.mark.parametrize("call", chapter15b.MERGE.calls)
def test_merged_detections_are_the_package_s(call):
    found, scales, threshold = call
    tables = [torch.tensor(one, dtype=torch.float64).reshape(-1, 6) for one in found]
    sizes = [
        {"labels": t[:, 0].long(), "scores": t[:, 1], "boxes": t[:, 2:] / scale}
        for t, scale in zip(tables, scales, strict=True)
    ]
    merged = merge_detections(sizes, threshold)
    columns = (merged["labels"][:, None], merged["scores"][:, None], merged["boxes"])
    np.testing.assert_allclose(chapter15b.merge(*call), torch.cat(columns, 1), atol=1e-12)


def test_a_vectorised_answer_passes():
    def merge(found, scales, iou_threshold):
        parts = [
            np.asarray(one, float).reshape(-1, 6) / [1, 1, *[scale] * 4]
            for one, scale in zip(found, scales, strict=True)
        ]
        rows = np.concatenate(parts)
        from roilearn import reference  # noqa: PLC0415

        groups = rows[:, 0].astype(int)
        return rows[reference.batched_nms(rows[:, 2:], rows[:, 1], groups, iou_threshold)]

    assert exercises.check("15b.3", merge)


@pytest.mark.parametrize("fixed", [0.5, 0.52, 0.45])
def test_a_fixed_threshold_is_not_right(fixed):
    def merge(found, scales, iou_threshold):
        del iou_threshold
        return chapter15b.merge(found, scales, fixed)

    answer = exercises.check("15b.3", merge)
    assert not answer
    assert "Right but" not in answer.message
