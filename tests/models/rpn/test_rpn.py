"""The region proposal network: targets of anchors, losses computed by hand, and errors."""

import math

import pytest
import torch

from roilearn.models import (
    AnchorGenerator,
    ImageBatch,
    RegionProposalNetwork,
    RPNHead,
    anchor_targets,
    rpn_losses,
)

ANCHORS = torch.tensor([[0.0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10], [4, 0, 14, 10]])


def truth(*boxes, crowd=None):
    target = {"boxes": torch.tensor(boxes).reshape(-1, 4).float()}
    target["labels"] = torch.ones(len(boxes), dtype=torch.int64)
    return target if crowd is None else target | {"iscrowd": torch.tensor(crowd)}


def network(**settings):
    torch.manual_seed(0)
    head = RPNHead(4, 3)
    for layer in (head.cls_logits, head.bbox_pred):
        torch.nn.init.normal_(layer.weight, std=0.3)
    return RegionProposalNetwork(AnchorGenerator((16, 32)), head, **settings)


def seen(images=2):
    torch.manual_seed(1)
    batch = ImageBatch(torch.zeros(images, 3, 64, 96), [(64, 90), (60, 96)][:images])
    return batch, {"0": torch.randn(images, 4, 16, 24), "1": torch.randn(images, 4, 8, 12)}


TRUTH = [truth([10.0, 12, 40, 40], [50, 5, 62, 20]), truth([3.0, 3, 30, 50])]


def test_labels_and_rows_of_anchors():
    labels, matched_idxs = anchor_targets(
        ANCHORS, truth([41.0, 0, 51, 10], [0, 0, 10, 10]), 0.7, 0.3
    )
    assert labels.tolist() == [1, 0, 1, -1]  # the last overlaps an object by 6 / 14
    assert matched_idxs.tolist() == [1, -1, 0, -1]


def test_an_image_without_objects_is_all_background():
    labels, matched_idxs = anchor_targets(ANCHORS, truth(), 0.7, 0.3)
    assert labels.tolist() == [0] * 4
    assert matched_idxs.tolist() == [-1] * 4


def test_no_anchor_above_the_threshold_and_still_one_learns():
    labels, matched_idxs = anchor_targets(ANCHORS, truth([22.0, 2, 24, 4]), 0.7, 0.3)
    assert labels.tolist() == [0, 1, 0, 0]
    assert matched_idxs.tolist() == [-1, 0, -1, -1]


def test_a_crowd_is_no_object_and_what_lies_in_it_no_background():
    boxes = ([0.0, 0, 10, 10], [18, 0, 60, 40])
    labels, matched_idxs = anchor_targets(ANCHORS, truth(*boxes, crowd=[0, 1]), 0.7, 0.3)
    assert labels.tolist() == [1, -1, -1, -1]
    assert matched_idxs.tolist() == [0, -1, -1, -1]
    labels, matched_idxs = anchor_targets(ANCHORS, truth(*boxes, crowd=[0, 0]), 0.7, 0.3)
    assert labels[0] == 1
    assert 1 in matched_idxs.tolist()  # told apart from nothing, the large box is an object


def test_padding_changes_nothing():
    one = anchor_targets(ANCHORS, truth([0.0, 0, 10, 10]), 0.7, 0.3)
    padded = anchor_targets(ANCHORS, truth([0.0, 0, 10, 10], [0, 0, 0, 0]), 0.7, 0.3)
    assert all(torch.equal(a, b) for a, b in zip(one, padded, strict=True))


def test_losses_by_hand():
    """One object moved by half its width; the network says ln 3 for it and -ln 3 elsewhere."""
    logits = math.log(3) * torch.tensor([[1.0, -1, -1, -1]])
    losses = rpn_losses(logits, torch.zeros(1, 4, 4), ANCHORS, [truth([0.0, 0, 10, 20])])
    # labels: object, background, background, background (IoU 6 x 10 of 240)
    assert losses["loss_objectness"].item() == pytest.approx(math.log(4 / 3))
    # deltas wanted: 0, 0.5, 0, ln 2; each beyond 1/9, so less 1/18
    wanted = (0.5 - 1 / 18 + math.log(2) - 1 / 18) / 4
    assert losses["loss_rpn_box_reg"].item() == pytest.approx(wanted)


def test_an_image_without_objects_counts_but_has_no_boxes_to_learn():
    deltas = torch.ones(2, 4, 4)
    alone = rpn_losses(torch.zeros(1, 4), deltas[:1], ANCHORS, [truth([0.0, 0, 10, 20])])
    both = rpn_losses(torch.zeros(2, 4), deltas, ANCHORS, [truth([0.0, 0, 10, 20]), truth()])
    assert both["loss_objectness"].item() == pytest.approx(math.log(2))
    box_losses = (both["loss_rpn_box_reg"].item(), alone["loss_rpn_box_reg"].item())
    assert box_losses[0] == pytest.approx(box_losses[1] / 2)
    nothing = rpn_losses(torch.zeros(1, 4), deltas[:1], ANCHORS, [truth()])
    assert nothing["loss_rpn_box_reg"].item() == 0


def test_where_no_anchor_can_be_drawn_the_losses_are_zero():
    crowd = truth([-5.0, -5, 99, 99], crowd=[1])
    losses = rpn_losses(torch.ones(1, 4), torch.ones(1, 4, 4), ANCHORS, [crowd])
    assert [loss.item() for loss in losses.values()] == [0, 0]


def test_deltas_of_objects_alone_have_a_gradient():
    logits, deltas = torch.zeros(1, 4, requires_grad=True), torch.ones(1, 4, 4).requires_grad_()
    losses = rpn_losses(logits, deltas, ANCHORS, [truth([0.0, 0, 10, 20])])
    sum(losses.values()).backward()
    assert (logits.grad != 0).all()
    assert deltas.grad[0].any(1).tolist() == [True, False, False, False]


def test_half_precision_answers_are_compared_in_float32():
    answers = (torch.zeros(1, 4).bfloat16(), torch.zeros(1, 4, 4).bfloat16())
    losses = rpn_losses(*answers, ANCHORS, [truth([0.0, 0, 10, 20])])
    assert {loss.dtype for loss in losses.values()} == {torch.float32}


def test_training_gives_losses_that_can_be_learned_from():
    rpn = network()
    boxes, losses = rpn(*seen(), TRUTH)
    assert list(losses) == ["loss_objectness", "loss_rpn_box_reg"]
    assert all(len(each) and not each.requires_grad for each in boxes)
    sum(losses.values()).backward()
    assert all(parameter.grad.any() for parameter in rpn.parameters())


def test_a_few_steps_learn():
    rpn = network()
    steps = torch.optim.Adam(rpn.parameters(), lr=0.05)
    totals = []
    for _ in range(20):
        losses = rpn(*seen(), TRUTH)[1]
        totals.append(sum(losses.values()))
        steps.zero_grad()
        totals[-1].backward()
        steps.step()
    assert totals[-1] < 0.7 * totals[0]


def test_how_many_proposals_depends_on_the_mode():
    limits = {
        "pre_nms_top_n": {"training": 40, "testing": 20},
        "post_nms_top_n": {"training": 30, "testing": 5},
        "nms_threshold": 1.0,
    }
    rpn = network(**limits)
    assert [len(each) for each in rpn(*seen(), TRUTH)[0]] == [30, 30]
    boxes, losses = rpn.eval()(*seen())
    assert [len(each) for each in boxes] == [5, 5]
    assert losses == {}


def test_proposals_end_where_the_image_does_and_not_its_padding():
    batch, features = seen()
    for (height, width), boxes in zip(
        batch.sizes, network().eval()(batch, features)[0], strict=True
    ):
        assert boxes.amax(0)[2:].tolist() == [width, height]


def test_maps_may_come_in_a_list():
    rpn = network().eval()
    batch, features = seen()
    for a, b in zip(rpn(batch, features)[0], rpn(batch, [*features.values()])[0], strict=True):
        assert torch.equal(a, b)


def test_the_head_answers_in_the_order_of_the_anchors():
    """Filters that answer for anchor 1 alone, and only where the map is lit: row 1, column 2."""
    head = RPNHead(1, 3)
    for parameter in head.parameters():
        torch.nn.init.zeros_(parameter)
    with torch.no_grad():
        head.conv[0][0].weight[0, 0, 1, 1] = 1.0
        head.cls_logits.weight[1] = 7.0
        head.bbox_pred.weight[4 * 1 + 2] = 5.0
    lit = torch.zeros(1, 1, 2, 4)
    lit[0, 0, 1, 2] = 1.0
    (objectness,), (deltas,) = head([lit])
    place = (1 * 4 + 2) * 3 + 1
    assert objectness.nonzero().tolist() == [[0, place]]
    assert deltas.nonzero().tolist() == [[0, place, 2]]


@pytest.mark.parametrize(
    ("layer", "loss", "name"),
    [("cls_logits", "loss_objectness", "objectness"), ("bbox_pred", "loss_rpn_box_reg", "deltas")],
)
@pytest.mark.parametrize("bad", [float("nan"), float("-inf")])
def test_a_network_that_has_diverged_is_named(layer, loss, name, bad):
    rpn = network()
    getattr(rpn.head, layer).bias.data[1] = bad
    message = f"{name} of the region proposal network must be finite; got {bad:g}.*{loss} with it"
    with pytest.raises(FloatingPointError, match=message):
        rpn(*seen(), TRUTH)
    with pytest.raises(FloatingPointError, match=message):
        rpn.eval()(*seen())


def test_ground_truth_that_is_missing():
    rpn = network()
    with pytest.raises(ValueError, match=r"the ground truth of each of 2 .* got none"):
        rpn(*seen())
    with pytest.raises(ValueError, match="each of 2 images in training; got 1"):
        rpn(*seen(), TRUTH[:1])
    with pytest.raises(ValueError, match="boxes is missing"):
        rpn(*seen(), [{}, {}])


def test_images_and_maps_of_no_size():
    rpn = network().eval()
    batch, features = seen()
    with pytest.raises(ValueError, match="size must be at least 1"):
        rpn(ImageBatch(batch.tensors, [(64, 0), (60, 96)]), features)
    with pytest.raises(ValueError, match="feature_size must be at least 1"):
        rpn(batch, {"0": features["0"], "1": features["1"][:, :, :0]})


@pytest.mark.parametrize("numbers", [(0, 3, 1), (4, 0, 1), (4, 3, 0)])
def test_heads_of_nothing_are_refused(numbers):
    with pytest.raises(ValueError, match="must be at least 1; got 0"):
        RPNHead(*numbers)
