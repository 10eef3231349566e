"""The answers of chapter 15 are right by another road: the package's coder and its ports."""

import pytest
import torch
from torchvision.models.detection import MaskRCNN_ResNet50_FPN_Weights

from roilearn import exercises, ops
from roilearn.data import example_scene
from roilearn.exercises import chapter15
from roilearn.models import broken_port, compare_layers, load_model
from roilearn.models.comparison.broken_ports import PORTS


def test_ids_and_gaps_are_those_of_torchvision_s_weights():
    names = MaskRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"]
    gaps = [number for number, name in enumerate(names) if name == "N/A"]
    assert tuple(gaps) == chapter15.COCO_GAPS
    assert len(chapter15.COCO_IDS) == 80
    assert names[67] == "dining table"
    assert [names[id_] for id_ in chapter15.COCO_IDS].index(
        "dining table"
    ) == chapter15.CLASS_NUMBER.answer


def test_the_decoded_edge_is_the_package_s():
    deltas = torch.tensor([[2.0, 0, 2.0273, 0]])
    box = ops.decode_boxes(deltas, torch.tensor([[20.0, 40, 60, 120]]), (10, 10, 5, 5))
    assert box[0, 0].item() == pytest.approx(chapter15.DECODED.answer, abs=1e-2)


@pytest.mark.parametrize("call", chapter15.MOVED.calls)
def test_moved_logits_keep_the_winner(call):
    logits, ids, count = call
    moved = torch.tensor(chapter15.move_logits(*call))
    labels = [*ids, 0]
    assert labels[torch.tensor(logits).argmax()] == moved.argmax()
    assert sorted(moved[moved > -100].tolist()) == sorted(logits)
    assert len(moved) == count


def test_an_answer_with_a_dictionary_passes():
    def move_logits(logits, ids, count):
        labels = dict(zip([*ids, 0], logits, strict=True))
        return [labels.get(label, -100) for label in range(count)]

    assert exercises.check("15.3", move_logits)


@pytest.mark.parametrize("exercise", chapter15.EXERCISES[3:], ids=lambda one: one.number)
def test_the_words_are_those_of_the_ports(exercise):
    letter = exercise.task.split("port ")[1][0]
    assert exercise.answer == PORTS[letter]
    assert {exercise.answer, *(mistake.name for mistake in exercise.mistakes)} == set(
        PORTS.values()
    )


def test_what_the_messages_say_of_rows_is_so():
    model = load_model("SHAPES")[0].eval()
    image, _ = example_scene()
    for letter, word in PORTS.items():
        found = compare_layers(model, broken_port(letter, model), [image])
        if word != "anchors":
            assert found["rpn.anchor_generator"].difference == 0
        if word not in {"colours", "range"}:
            assert found["transform"].difference == 0
