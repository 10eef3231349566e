"""The whole detector: losses, detections, and that every option reaches its module."""

import copy
import pickle
from dataclasses import replace

import pytest
import torch

from roilearn.bench.detectors.mask_rcnn import standardise_outputs
from roilearn.models import (
    COORDINATES,
    ROI_OPS,
    coordinates_of,
    faster_rcnn_tiny,
    mask_rcnn_tiny,
)
from roilearn.models.backbone.batch_norm import FrozenBatchNorm2d, fold_normalisation
from roilearn.models.roi_heads.poolers import RoIPooler
from roilearn.models.rpn.region_proposal_network import (
    RegionProposalNetwork,
)

LOSSES = {
    "loss_classifier", "loss_box_reg", "loss_mask", "loss_objectness", "loss_rpn_box_reg"
}  # fmt: skip
FEW = {
    "rpn_pre_nms_top_n": {"training": 60, "testing": 40},
    "rpn_post_nms_top_n": {"training": 40, "testing": 20},
}


def make_scene(height=96, width=128, seed=0):
    """One image with two filled rectangles, and its target."""
    random = torch.Generator().manual_seed(seed)
    image = torch.rand(3, height, width, generator=random) / 4
    boxes = torch.tensor([[10.0, 20, 50, 60], [60, 30, 90, 90]])
    masks = torch.zeros(2, height, width, dtype=torch.uint8)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes.int().tolist(), strict=True):
        mask[y1:y2, x1:x2] = 1
        image[:, y1:y2, x1:x2] += 0.7
    return image, {"boxes": boxes, "labels": torch.tensor([1, 2]), "masks": masks}


def make_model(seed=0, **options):
    torch.manual_seed(seed)
    return mask_rcnn_tiny(
        3, **{**FEW, "score_threshold": 0.0, "detections_per_image": 8, **options}
    )


def make_detector(**options):
    """A model whose scores differ enough that rounding does not change their order."""
    model = make_model(**options).eval()
    standardise_outputs(model, [make_scene()[0]])
    return model


def test_learns_by_five_losses_that_reach_every_parameter():
    model = make_model().train()
    images, targets = zip(make_scene(), make_scene(128, 100, seed=1), strict=True)
    losses = model(list(images), list(targets))
    assert set(losses) == LOSSES
    sum(losses.values()).backward()
    unreached = [name for name, p in model.named_parameters() if p.grad is None]
    assert unreached == []
    assert all(p.grad.isfinite().all() for p in model.parameters())


def test_a_few_steps_on_one_scene_bring_the_losses_down():
    model = make_model().train()
    image, target = make_scene()
    optimiser = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)
    history = []
    for _ in range(30):
        losses = model([image], [target])
        history.append(sum(losses.values()).item())
        optimiser.zero_grad()
        sum(losses.values()).backward()
        optimiser.step()
    assert sum(history[-4:]) < 0.4 * sum(history[:4])


def test_detects_in_images_of_any_size_at_their_own_size():
    model = make_model().eval()
    images = [make_scene()[0], make_scene(150, 100, seed=1)[0]]
    for image, found in zip(images, model(images), strict=True):
        height, width = image.shape[1:]
        number = len(found["boxes"])
        assert 0 < number <= 8
        assert found["labels"].min() >= 1
        assert found["labels"].max() <= 2
        assert found["masks"].shape == (number, 1, height, width)
        assert found["masks"].min() >= 0
        assert found["masks"].max() <= 1
        assert torch.equal(found["scores"], found["scores"].sort(descending=True)[0])
        assert (found["boxes"] >= 0).all()
        assert (found["boxes"] <= torch.tensor([width, height, width, height]) + 1e-3).all()


def test_images_of_a_batch_do_not_see_each_other():
    model = make_detector()
    images = [make_scene(seed=seed)[0] for seed in range(3)]
    with torch.no_grad():
        together, alone = model(images), [model([image])[0] for image in images]
    for both in zip(together, alone, strict=True):
        for key in ("boxes", "scores", "masks"):
            torch.testing.assert_close(*(each[key] for each in both), rtol=1e-4, atol=1e-4)


def test_an_image_without_objects_can_be_learned_from():
    model = make_model().train()
    empty = {
        "boxes": torch.zeros(0, 4),
        "labels": torch.zeros(0, dtype=torch.int64),
        "masks": torch.zeros(0, 96, 128, dtype=torch.uint8),
    }
    losses = model([make_scene()[0]], [empty])
    assert losses["loss_mask"] == losses["loss_box_reg"] == losses["loss_rpn_box_reg"] == 0
    sum(losses.values()).backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize("roi_op", ROI_OPS)
def test_any_operator_pools_for_both_heads(roi_op):
    model = make_model(roi_op=roi_op).eval()
    with torch.no_grad():
        (found,) = model([make_scene()[0]])
    assert len(found["masks"]) > 0
    assert [m.roi_op for m in model.modules() if isinstance(m, RoIPooler)] == [roi_op] * 2


@pytest.mark.parametrize(
    "coordinates", [*COORDINATES, replace(COORDINATES["aligned"], paste="torchvision")]
)
def test_coordinates_reach_all_five_places(coordinates):
    model, rules = make_model(coordinates=coordinates), coordinates_of(coordinates)
    poolers = [m for m in model.modules() if isinstance(m, RoIPooler)]
    assert [pooler.aligned for pooler in poolers] == [rules.aligned] * 2
    assert model.roi_heads.options.mask_target_aligned == rules.mask_target_aligned
    assert model.transform.paste == rules.paste
    assert model.rpn.anchor_generator.offset == rules.anchor_offset
    assert model.rpn.anchor_generator.rounded == rules.anchor_rounded


def test_options_reach_their_parts():
    model = make_model(
        min_size=96, max_size=200, channels=32,
        batch_size_per_image=10, rpn_batch_size_per_image=20,
        rpn_options={"nms_threshold": 0.6}, widths=(16, 32, 48, 64), depths=(1, 1, 1, 1),
        anchor_sizes=(8, 16, 32, 64, 128), nms_threshold=0.3,
        mask_pooler_resolution=7, box_pooler_resolution=5,
    )  # fmt: skip
    assert (model.transform.min_size, model.transform.max_size) == ((96,), 200)
    assert model.roi_heads.options.batch_size_per_image == 10
    assert model.roi_heads.options.nms_threshold == 0.3
    assert model.rpn.losses.keywords["batch_size_per_image"] == 20
    assert model.rpn.propose.keywords["nms_threshold"] == 0.6
    assert model.roi_heads.box_roi_pool.output_size == (5, 5)
    assert model.roi_heads.mask_roi_pool.output_size == (7, 7)
    assert model.roi_heads.mask_roi_pool.levels == 4
    with torch.no_grad():
        (found,) = model.eval()([make_scene()[0]])
    assert found["masks"].shape[1:] == (1, 96, 128)


def test_folded_it_detects_the_same():
    model = make_model()
    images = [make_scene(seed=seed)[0] for seed in range(2)]
    with torch.no_grad():
        batch, _ = model.transform(images)
        for _ in range(20):
            model.train().backbone(batch.tensors)  # statistics that are worth folding
        standardise_outputs(model.eval(), images)
        folded = fold_normalisation(model)
        assert not any("bn" in name for name in folded.state_dict())
        for both in zip(model(images), folded(images), strict=True):
            for key in ("boxes", "scores", "masks"):
                torch.testing.assert_close(*(each[key] for each in both), rtol=1e-3, atol=1e-3)


def test_the_small_model_fits_in_ten_megabytes():
    numbers = sum(value.numel() for value in make_model().state_dict().values())
    assert 4 * numbers < 10e6


def test_training_without_targets_raises_before_any_work(monkeypatch):
    model = make_model().train()
    monkeypatch.setattr(model.backbone, "forward", lambda *_: pytest.fail("worked"))
    with pytest.raises(ValueError, match=r"got none\. To detect, call eval\(\)"):
        model([make_scene()[0]])


def test_an_option_that_nobody_knows_raises():
    with pytest.raises(TypeError, match="score_treshold"):
        mask_rcnn_tiny(3, score_treshold=0.1)


def test_parts_are_printed_with_their_choices():
    text = repr(make_model(roi_op="pool"))
    for words in ("min_size=[128]", "roi_op='pool'", "paste='aligned'", "offset=0.5"):
        assert words in text
    assert isinstance(make_model().rpn, RegionProposalNetwork)
    assert not any(isinstance(m, FrozenBatchNorm2d) for m in make_model().modules())


@pytest.mark.parametrize("way", ["copy", "deepcopy", "pickle", "torch"])
def test_a_whole_model_is_copied_and_pickled(way, tmp_path):
    def through_a_file(model):
        torch.save(model, tmp_path / "model.pt")
        return torch.load(tmp_path / "model.pt", weights_only=False)

    ways = {
        "copy": copy.copy,
        "deepcopy": copy.deepcopy,
        "pickle": lambda model: pickle.loads(pickle.dumps(model)),  # noqa: S301  our own
        "torch": through_a_file,
    }
    model = make_detector()
    again = ways[way](model)
    assert again.transform.memory_format == torch.channels_last
    with torch.no_grad():
        expected, found = (each([make_scene()[0]])[0] for each in (model, again))
    assert all(torch.equal(found[key], values) for key, values in expected.items())


def test_options_of_both_modes_arrive():
    model = make_model(rpn_options={"post_nms_top_n": {"training": 31, "testing": 17}})
    assert model.rpn.post_nms_top_n == {"training": 31, "testing": 17}
    model = make_model(rpn_post_nms_top_n_train=32, rpn_pre_nms_top_n_test=33)
    assert model.rpn.post_nms_top_n == {"training": 32, "testing": 20}
    assert model.rpn.pre_nms_top_n == {"training": 60, "testing": 33}


def test_two_names_of_one_option_are_refused():
    with pytest.raises(TypeError, match=r"score_threshold and box_score_thresh are names of the"):
        mask_rcnn_tiny(3, score_threshold=0.1, box_score_thresh=0.2)
    with pytest.raises(TypeError, match=r"nms_tresh must be an option .*Near it .*nms_threshold"):
        mask_rcnn_tiny(3, rpn_options={"nms_tresh": 0.5})


def test_a_tiny_detector_of_boxes_learns_from_boxes_alone():
    torch.manual_seed(0)
    model = faster_rcnn_tiny(3, **FEW, box_score_thresh=0.0).train()
    image, target = make_scene()
    del target["masks"]
    losses = model([image], [target])
    assert set(losses) == LOSSES - {"loss_mask"}
    sum(losses.values()).backward()
    assert all(p.grad is not None for p in model.parameters())
    assert set(model.eval()([image])[0]) == {"boxes", "labels", "scores"}
