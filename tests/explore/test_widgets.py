"""The live figures as widgets: state, errors, stills, alt text, and known numbers."""

import json
import struct
import subprocess
import sys

import numpy as np
import pytest
from matplotlib import pyplot as plt

from roilearn import explore, reference
from roilearn.explore import scene
from roilearn.explore.scene import OBJECTS, scene_masks
from roilearn.reference.pooling import levels

FIGURES = [
    explore.InterpolationWeights,
    explore.ResizeGrids,
    explore.Quantization,
    explore.PoolAndAlign,
    explore.SlidingBox,
    explore.BinMean,
    explore.BagMatrix,
    explore.ReceptiveField,
    explore.LevelOfBox,
    explore.AnchorsAtPoint,
    explore.NmsSteps,
    explore.DetectionTargets,
    explore.PasteMask,
    explore.AveragePrecision,
    explore.ErrorKinds,
    explore.LayerDifferences,
    explore.LossCurves,
]
by_name = pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.__name__)

BAD_STATES = [
    (explore.InterpolationWeights, {"x": "left"}, TypeError, "x must be a number; got 'left'"),
    (explore.InterpolationWeights, {"y": 9}, ValueError, "y must be from 0 to 8; got 9"),
    (explore.InterpolationWeights, {"y": float("nan")}, ValueError, "y must be from 0 to 8"),
    (
        explore.InterpolationWeights,
        {"values": [[1, 2], [3, 4, 5]]},
        ValueError,
        "rows of one length",
    ),
    (explore.InterpolationWeights, {"values": [[1, 2], [3, np.inf]]}, ValueError, "finite"),
    (explore.InterpolationWeights, {"show": "both"}, ValueError, "one of 'value', 'gradient'"),
    (explore.ResizeGrids, {"signal": [0, 0, 0]}, ValueError, "signal must have a value above 0"),
    (explore.ResizeGrids, {"signal": [1] * 9}, ValueError, "signal must have 2 to 8 values; got 9"),
    (explore.ResizeGrids, {"signal": [1, -1]}, ValueError, r"signal\[1\] must be from 0"),
    (explore.ResizeGrids, {"out_size": 2.5}, TypeError, "out_size must be a whole number; got 2.5"),
    (explore.ResizeGrids, {"out_size": 0}, ValueError, "out_size must be from 1 to 12; got 0"),
    (explore.Quantization, {"edges": [50, 50]}, ValueError, "must be x1, x2, at least 1"),
    (explore.Quantization, {"edges": [0, 2000]}, ValueError, r"edges\[1\] must be from 0 to 896"),
    (explore.Quantization, {"edges": [1, 2, 3]}, ValueError, "must be x1, x2; got 3 values"),
    (explore.Quantization, {"stride": 5}, ValueError, "stride must be one of 4, 8, 16, 32, 64"),
    (explore.Quantization, {"rule": "ceil"}, ValueError, "rule must be one of 'floor'"),
    (explore.Quantization, {"end_included": 1}, TypeError, "end_included must be True or False"),
    (explore.PoolAndAlign, {"box": [40, 0, 8, 9]}, ValueError, "at least 1 image pixel apart"),
    (explore.PoolAndAlign, {"output_size": 2}, TypeError, "output_size must be a list; got 2"),
    (explore.PoolAndAlign, {"output_size": [2, 5]}, ValueError, r"output_size\[1\] must be from 1"),
    (explore.PoolAndAlign, {"features": [[1]]}, ValueError, "features must have 2 to 16 values"),
    (explore.PoolAndAlign, {"sampling_ratio": True}, TypeError, "sampling_ratio must be a whole"),
    (explore.PoolAndAlign, {"boxes": [0, 0, 8, 8]}, TypeError, "has no argument boxes. It takes"),
    (explore.SlidingBox, {"bin": [0, 2]}, ValueError, r"bin\[1\] must be from 0 to 1; got 2"),
    (explore.BinMean, {"box": [9, 9, 9, 40]}, ValueError, "at least 1 image pixel apart"),
    (explore.BinMean, {"counted": "all"}, ValueError, "counted must be one of 'fixed'"),
    (explore.BagMatrix, {"features": np.ones((7, 7))}, ValueError, "features must have 2 to 6"),
    (explore.BagMatrix, {"sampling_ratio": -1}, ValueError, "sampling_ratio must be from 0 to 4"),
    (explore.BagMatrix, {"look": "row"}, ValueError, "look must be one of 'bag', 'cell'"),
    (explore.ReceptiveField, {"network": "vgg"}, ValueError, "network must be one of 'tiny'"),
    (explore.ReceptiveField, {"level": 6}, ValueError, "level must be from 2 to 5; got 6"),
    (explore.LevelOfBox, {"levels": [4, 3]}, ValueError, "levels must be the first level and"),
    (explore.LevelOfBox, {"side": 600}, ValueError, "side must be one of 128, 800; got 600"),
    (explore.LevelOfBox, {"canonical_scale": 0}, ValueError, "canonical_scale must be from 14"),
    (
        explore.AnchorsAtPoint,
        {"offset": 0.25},
        ValueError,
        "offset must be one of 0, 0.5; got 0.25",
    ),
    (
        explore.AnchorsAtPoint,
        {"size": 16},
        ValueError,
        "size must be one of 12, 18, 24, 30, 36; got 16",
    ),
    (explore.AnchorsAtPoint, {"rounded": 1}, TypeError, "rounded must be True or False; got 1"),
    (
        explore.NmsSteps,
        {"boxes": [[0, 0, 9, 9]] * 5},
        ValueError,
        "boxes must have 6 values; got 5",
    ),
    (explore.NmsSteps, {"boxes": [[9, 0, 9, 9]] * 6}, ValueError, r"boxes\[0\] must be x1, y1"),
    (explore.NmsSteps, {"classes": ["cat"] * 6}, ValueError, r"classes\[0\] must be one of 'disc'"),
    (explore.NmsSteps, {"iou_threshold": 1}, ValueError, "iou_threshold must be from 0.1 to 0.9"),
    (explore.NmsSteps, {"chosen": "G"}, ValueError, "chosen must be one of 'A', 'B'"),
    (explore.DetectionTargets, {"box": [0, 0, 9, 129]}, ValueError, "box must end at y2 = 128"),
    (
        explore.DetectionTargets,
        {"thresholds": [0.7, 0.3]},
        ValueError,
        "thresholds must be the lower threshold and the upper one",
    ),
    (
        explore.DetectionTargets,
        {"thresholds": [0, 0.5]},
        ValueError,
        r"thresholds\[0\] must be from",
    ),
    (explore.DetectionTargets, {"mask_size": 56}, ValueError, "mask_size must be one of 7, 14, 28"),
    (explore.PasteMask, {"shape": "cat"}, ValueError, "shape must be one of 'disc', 'square'"),
    (explore.PasteMask, {"side": 8}, ValueError, "side must be one of 7, 14, 28; got 8"),
    (explore.PasteMask, {"half_pixels": 1}, TypeError, "half_pixels must be True or False; got 1"),
    (explore.AveragePrecision, {"scores": [0.5]}, ValueError, "scores must have 12 values; got 1"),
    (
        explore.AveragePrecision,
        {"scores": [2] * 12},
        ValueError,
        r"scores\[0\] must be from 0 to 1",
    ),
    (explore.AveragePrecision, {"iou_threshold": 0.3}, ValueError, "must be from 0.5 to 0.95"),
    (explore.AveragePrecision, {"ties": "any"}, ValueError, "ties must be one of 'listed'"),
    (explore.AveragePrecision, {"chosen": "M"}, ValueError, "chosen must be one of 'A', 'B'"),
    (explore.PasteMask, {"box": [3, 3, 3.5, 9]}, ValueError, "at least 1 image pixel apart"),
    (explore.ErrorKinds, {"classes": ["cat"] * 5}, ValueError, r"classes\[0\] must be one of"),
    (explore.ErrorKinds, {"scores": [2] * 5}, ValueError, r"scores\[0\] must be from 0 to 1"),
    (explore.ErrorKinds, {"threshold": 0.6}, ValueError, "threshold must be one of 0.5, 0.75"),
    (explore.ErrorKinds, {"chosen": "F"}, ValueError, "chosen must be one of 'A', 'B'"),
    (explore.LayerDifferences, {"port": "H"}, ValueError, "port must be one of 'A', 'B'"),
    (explore.LayerDifferences, {"stage": 14}, ValueError, "stage must be from 0 to 13; got 14"),
    (explore.LayerDifferences, {"revealed": 1}, TypeError, "revealed must be True or False"),
    (explore.ReceptiveField, {"cell": [3, 40]}, ValueError, r"cell\[1\] must be from 0 to 39"),
    (explore.LossCurves, {"patient": "G"}, ValueError, "patient must be one of 'A', 'B'"),
    (explore.LossCurves, {"point": 29}, ValueError, "point must be from 0 to 28; got 29"),
]


@pytest.mark.parametrize(("figure", "state", "error", "words"), BAD_STATES)
def test_bad_state_is_refused_by_name(figure, state, error, words):
    with pytest.raises(error, match=words):
        figure(**state)


def test_bad_assignment_leaves_the_state_as_it_was():
    widget = explore.Quantization()
    with pytest.raises(ValueError, match="stride"):
        widget.stride = 7
    assert widget.stride == 32


def test_arrays_become_plain_json():
    widget = explore.PoolAndAlign(features=np.eye(3), box=np.array([0, 0, 48, 48]))
    assert json.loads(json.dumps(widget.state())) == widget.state()


def test_two_widgets_share_no_default():
    first, second = explore.PoolAndAlign(), explore.PoolAndAlign()
    first.features[0][0] = 99
    assert second.features[0][0] == 1


@by_name
def test_module_is_one_text_without_imports(figure):
    lines = figure._esm.splitlines()
    assert not [line for line in lines if line.startswith("import")]
    assert figure._esm.count("export function compute(") == 1
    assert figure._esm.count("export default") == 1
    assert figure()._esm == figure._esm


@by_name
def test_output_is_a_widget_with_a_described_picture(figure):
    data, metadata = figure()._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["image/png"].startswith("iVBOR")
    assert metadata["image/png"] == {"alt": figure().alt}
    assert data["text/plain"] == repr(figure())
    assert " at 0x" not in data["text/plain"]


@by_name
def test_alt_text_is_a_short_paragraph_that_follows_the_state(figure):
    states = [figure().state() | change for change in ({}, CHANGES[figure])]
    first, second = (figure(**state).alt for state in states)
    assert first != second
    assert 100 < len(first) < 800
    assert first.endswith(".")


CHANGES = {
    explore.InterpolationWeights: {"x": 3.9, "y": 0.2, "show": "gradient"},
    explore.ResizeGrids: {"signal": [0, 1], "out_size": 1, "selected": 11},
    explore.Quantization: {"edges": [3, 5], "rule": "floor", "end_included": False},
    explore.PoolAndAlign: {"box": [300, 300, 310, 310], "sampling_ratio": -1, "show": "gradient"},
    explore.SlidingBox: {"features": np.ones((3, 4)), "offset": 16},
    explore.BinMean: {"box": [20, 16, 90, 96], "sampling_ratio": 1, "counted": "exact"},
    explore.BagMatrix: {"output_size": [3, 1], "sampling_ratio": 0, "look": "cell"},
    explore.ReceptiveField: {"network": "resnet50", "level": 5, "cell": [3, 4]},
    explore.LevelOfBox: {"side": 128, "box": [18, 54, 500, 86], "levels": [2, 4]},
    explore.AnchorsAtPoint: {"box": [150, 110, 160, 128], "stride": 16, "rounded": True},
    explore.NmsSteps: {"step": 0, "class_wise": False, "iou_threshold": 0.3},
    explore.DetectionTargets: {"box": [60, 90, 122, 120], "thresholds": [0.3, 0.7]},
    explore.PasteMask: {"shape": "triangle", "box": [10, 10, 20, 30], "half_pixels": True},
    explore.AveragePrecision: {"chosen": "K", "ties": "best", "iou_threshold": 0.7},
    explore.ErrorKinds: {"boxes": [[100, 90, 110, 99]] * 5, "threshold": 0.75},
    explore.LayerDifferences: {"port": "F", "stage": 12, "revealed": True},
    explore.LossCurves: {"patient": "C", "point": 3, "told": True},
}


def png_size(content):
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", content[16:24])


@by_name
@pytest.mark.parametrize("changed", [False, True])
def test_still_is_drawn_from_the_state_and_leaves_no_figure_open(figure, changed, tmp_path):
    widget = figure(**(CHANGES[figure] if changed else {}))
    content = widget.still(tmp_path / "still.png")
    assert (tmp_path / "still.png").read_bytes() == content == widget.still()
    width, height = png_size(content)
    assert width >= 900
    assert height >= 400
    assert len(content) > 10_000  # an empty canvas compresses to less
    assert plt.get_fignums() == []


def test_importing_the_figures_loads_neither_matplotlib_nor_torch():
    code = (
        "import sys; from roilearn import explore; explore.PoolAndAlign();"
        "print([name for name in ('matplotlib', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_interpolation_opens_on_a_sum_that_fits_on_paper():
    numbers = explore.InterpolationWeights().numbers()
    assert [cell["weight"] for cell in numbers["cells"]] == pytest.approx([0.28, 0.42, 0.12, 0.18])
    assert numbers["value"] == pytest.approx(0.28 * 8 + 0.42 * 5 + 0.12 * 4 + 0.18 * 9)


def test_resizing_opens_on_three_to_four():
    rules = explore.ResizeGrids().numbers()["rules"]
    assert rules["corner"]["positions"] == [0, 0.75, 1.5, 2.25]
    assert rules["corner"]["shift"] == pytest.approx(-0.075)
    assert rules["half_pixel"]["shift"] == pytest.approx(0, abs=1e-12)


def test_quantization_opens_on_the_box_of_665_pixels():
    numbers = explore.Quantization().numbers()
    assert numbers["cells"][1] == 20.78125
    assert numbers["chosen"]["count"] == 22
    assert numbers["chosen"]["gained"] == [0, 39]
    assert numbers["chosen"]["iou"] == pytest.approx((665 / 704) ** 2)
    slides = explore.Quantization(rule="floor", end_included=False).numbers()["chosen"]
    assert (slides["count"], slides["gained"]) == (20, [0, -25])


def test_hero_opens_on_a_rounding_that_reads_more_than_the_box():
    widget = explore.PoolAndAlign()
    numbers = widget.numbers()
    assert numbers["pool"]["corners"] == [2, 1, 6, 4]
    assert numbers["pool"]["columns"] == [[2, 5], [4, 7]]
    features = np.array(widget.features, dtype=float)[None, None]
    boxes = [np.array([widget.box], dtype=float)]
    align = reference.roi_align(features, boxes, 2, 1 / 16, 2, aligned=True)
    assert numbers["align"]["output"] == align[0, 0].tolist()


def test_sliding_box_opens_on_a_jump():
    numbers = explore.SlidingBox().numbers()
    assert numbers["jumps"] == [
        {"offset": 6.0, "from": 7.0, "to": 4.0},
        {"offset": 11.0, "from": 4.0, "to": 6.0},
    ]
    assert numbers["largest"]["align"] < 0.05


@pytest.mark.parametrize("offset", [0, 6, 13.5])
def test_exact_integral_is_what_ever_more_samples_tend_to(offset):
    widget = explore.SlidingBox(offset=offset)
    features = np.array(widget.features, dtype=float)[None, None]
    boxes = [np.array([widget.moved_box(offset)])]
    many = reference.roi_align(features, boxes, 2, 1 / 16, 40, aligned=True)[0, 0, 0, 0]
    assert widget.numbers()["here"]["exact"] == pytest.approx(many, abs=1e-3)


def test_bin_mean_opens_on_an_object_that_no_sample_meets():
    numbers = explore.BinMean().numbers()
    assert numbers["here"]["fixed"] == {"value": 0, "slope": pytest.approx(0.0380859375), "read": 8}
    assert numbers["here"]["exact"]["value"] == pytest.approx((6 + 7 + 9 + 8 + 7 + 5) / 30)


def test_the_slope_of_each_rule_is_how_its_value_changes():
    at, step = [16.0, 16.0, 101.5, 96.0], 1e-4
    one = explore.BinMean(box=at).numbers()["here"]
    before, after = (
        explore.BinMean(box=[*at[:2], at[2] + by, at[3]]).numbers()["here"] for by in (-step, step)
    )
    for rule in ("fixed", "adaptive", "exact"):
        change = (after[rule]["value"] - before[rule]["value"]) / (2 * step)
        assert one[rule]["slope"] == pytest.approx(change, abs=1e-6)


def test_bags_open_on_rows_that_are_averages_and_share_cells():
    widget = explore.BagMatrix()
    numbers = widget.numbers()
    matrix = np.array(numbers["matrix"])
    assert matrix.sum(axis=1) == pytest.approx(np.ones(4))
    assert matrix @ np.ravel(widget.features) == pytest.approx(np.ravel(numbers["output"]))
    assert (numbers["listed"], numbers["entries"]) == (64, 2 * (3 + 2) * 3)
    assert max(np.count_nonzero(matrix, axis=0)) > 1


def test_receptive_field_opens_on_the_cell_of_the_book_s_anchor():
    """Anchor [24, 56, 48, 80] of the square stands on the middle of this cell of stride 8."""
    numbers = explore.ReceptiveField().numbers()
    left, top, right, bottom = numbers["square"]
    assert ((left + right) / 2, (top + bottom) / 2) == ((24 + 48) / 2, (56 + 80) / 2)
    assert numbers["field"] == [-15, 17, 80, 112]
    assert numbers["shift"] == 3.5
    assert [one["size"] for one in numbers["levels"]] == [39, 95, 207]


def test_a_field_of_resnet_50_covers_the_scene():
    numbers = explore.ReceptiveField(network="resnet50", level=5, cell=[2, 2]).numbers()
    assert (numbers["size"], numbers["of_scene"]) == (427, 100)
    assert numbers["gradient"] == {"own": None, "on_scene": None}


def test_the_gradient_of_a_cell_near_the_border_falls_partly_outside():
    middle, corner = (
        explore.ReceptiveField(level=2, cell=cell).numbers()["gradient"]
        for cell in ([15, 20], [0, 0])
    )
    assert middle["on_scene"] == pytest.approx(100)
    assert 25 < corner["on_scene"] < 60
    assert middle["own"] == corner["own"]


def test_level_of_box_opens_on_a_box_whose_level_depends_on_the_rule():
    numbers = explore.LevelOfBox().numbers()
    assert (numbers["width"], numbers["height"]) == (200, 200)
    assert numbers["rules"]["floor"]["level"] == 3
    assert numbers["rules"]["round"]["level"] == 4
    assert numbers["edges"]["floor"] == [112, 224, 448]
    assert numbers["edges"]["round"] == pytest.approx([79.196, 158.392, 316.784], abs=1e-3)


@pytest.mark.parametrize("rule", ["floor", "round"])
def test_levels_change_at_the_edges(rule):
    for edge in explore.LevelOfBox().numbers()["edges"][rule]:
        before, after = (
            explore.LevelOfBox(box=[0, 0, side, side]).numbers()["rules"][rule]["level"]
            for side in (edge * 0.999, edge * 1.001)
        )
        assert after == before + 1


def test_the_epsilon_of_the_page_is_the_reference_s():
    assert explore.LevelOfBox.constants["LEVEL_EPSILON"] == levels.LEVEL_EPSILON


def test_anchors_open_on_the_square_and_the_anchor_that_the_chapters_follow():
    """The number of the best anchor depends on the offset; at the centre it is anchor 4333."""
    numbers = explore.AnchorsAtPoint().numbers()
    assert numbers["best"]["anchor"] == [24, 56, 48, 80]
    assert (numbers["best"]["iou"], numbers["best"]["label"]) == (0.5625, "rescued")
    assert numbers["best"]["deltas"] == pytest.approx([-1 / 12, 1 / 12, *[np.log(4 / 3)] * 2])
    assert numbers["best"] == numbers["offsets"]["centre"]
    assert (numbers["best"]["number"], numbers["offsets"]["corner"]["number"]) == (2, 8)


@pytest.mark.parametrize("stride", [4, 8, 16])
@pytest.mark.parametrize(("offset", "rounded"), [(0, True), (0.5, False)])
def test_the_twelve_anchors_are_those_of_the_whole_map(stride, offset, rounded):
    state = {"stride": stride, "size": 36, "offset": offset, "rounded": rounded}
    found = explore.AnchorsAtPoint(**state).numbers()["anchors"]
    whole = reference.generate_anchors(
        (128 // stride, 160 // stride), stride, 36, offset=offset, rounded=rounded
    ).reshape(128 // stride, 160 // stride, 3, 4)
    row, column = 64 // stride, 32 // stride
    assert found == pytest.approx(whole[row : row + 2, column : column + 2].reshape(12, 4))


def test_an_offset_of_half_a_cell_takes_the_best_anchor_across_the_threshold():
    offsets = explore.AnchorsAtPoint(box=[24, 56, 48, 80]).numbers()["offsets"]
    assert offsets["corner"]["iou"] < 0.7 <= offsets["centre"]["iou"]


def test_anchors_that_tie_are_rescued_together_and_none_without_overlap():
    widget = explore.AnchorsAtPoint(box=[32, 64, 48, 80])  # the four cells themselves
    assert widget.numbers()["labels"].count("rescued") == 4
    far = explore.AnchorsAtPoint(box=[90, 100, 99, 110]).numbers()
    assert (far["best"]["number"], set(far["labels"])) == (None, {"negative"})


def test_nms_opens_on_a_removed_box_that_would_have_removed_a_third():
    numbers = explore.NmsSteps().numbers()
    states = {row["box"]: row["state"] for row in numbers["rows"]}
    assert (numbers["now"], states["C"], states["E"]) == ("A", "removed now", "waiting")
    fourth = explore.NmsSteps(step=4).numbers()
    assert (fourth["now"], fourth["would_have_removed"]) == ("E", ["C"])
    assert explore.NmsSteps(step=6).numbers()["kept"] == ["A", "B", "D", "E", "F"]


def test_a_higher_threshold_can_keep_a_box_that_removes_another():
    kept = explore.NmsSteps(iou_threshold=0.6, step=6).numbers()["kept"]
    assert kept == ["A", "B", "C", "D", "F"]


def test_boxes_of_two_classes_remove_each_other_only_if_nms_is_not_class_wise():
    rows = [
        explore.NmsSteps(step=2, class_wise=class_wise).numbers()["rows"][5]
        for class_wise in (True, False)
    ]
    assert [row["state"] for row in rows] == ["waiting", "removed now"]
    assert [row["compared"] for row in rows] == [False, True]
    assert rows[0]["iou"] == rows[1]["iou"] > 0.5


def test_an_iou_of_exactly_the_threshold_removes_nothing():
    boxes = [[0, 0, 60, 20], [20, 0, 80, 20], *([[100 + i, 90, 101 + i, 91] for i in range(4)])]
    state = {"boxes": boxes, "classes": ["disc"] * 6, "step": 1}
    row = explore.NmsSteps(**state, iou_threshold=0.5).numbers()["rows"][1]
    assert (row["iou"], row["state"]) == (0.5, "waiting")
    row = explore.NmsSteps(**state, iou_threshold=0.45).numbers()["rows"][1]
    assert row["state"] == "removed now"


def test_errors_open_with_one_detection_of_five_kinds():
    numbers = explore.ErrorKinds().numbers()
    kinds = ["right", "duplicate", "misplaced", "wrong class", "background"]
    assert [row["state"] for row in numbers["rows"]] == kinds
    assert (numbers["right"], numbers["missed"]) == (1, [])
    assert numbers["ap"] == {"disc": 1, "square": 0, "triangle": 0, "mean": pytest.approx(1 / 3)}


def test_two_repairs_raise_the_ap_to_one_and_two_errors_stay():
    square, triangle = (scene.BY_NAME[name]["box"] for name in ("square", "triangle"))
    boxes = explore.ErrorKinds().boxes
    moved = explore.ErrorKinds(boxes=[*boxes[:2], square, *boxes[3:]])
    assert moved.numbers()["ap"]["square"] == 0.5  # the triangle that is called a square is first
    moved.classes = ["disc", "disc", "square", "triangle", "triangle"]
    numbers = moved.numbers()
    assert numbers["ap"]["mean"] == 1
    assert [row["state"] for row in numbers["rows"]].count("right") == 3
    gone = explore.ErrorKinds(boxes=[*boxes[:3], triangle, [0, 100, 9, 110]], threshold=0.75)
    assert gone.numbers()["missed"] == []
    away = explore.ErrorKinds(boxes=[[0, 100, 9, 110]] * 5)
    assert away.numbers()["missed"] == ["triangle", "square", "disc"]


def test_targets_open_on_the_proposal_that_the_chapters_follow():
    numbers = explore.DetectionTargets().numbers()
    x1, y1, x2, y2 = numbers["box"]
    shared = (50 - x1) * (y2 - 54)
    iou = shared / (32 * 32 + (x2 - x1) * (y2 - y1) - shared)
    assert numbers["best"] == {"row": 1, "name": "square", "iou": pytest.approx(iou)}
    assert (numbers["verdict"], numbers["class"]) == ("positive", 2)
    assert numbers["deltas"][2:] == pytest.approx(np.log([32 / (x2 - x1), 32 / (y2 - y1)]))
    assert set(np.ravel(numbers["mask"])) == {0, 1}
    assert numbers["cells"]["inside"] == np.sum(numbers["mask"])


def test_targets_are_those_of_the_training_step():
    """The figure says of one proposal what ``detection_targets`` says of the batch."""
    proposals = [[18.74, 53.01, 50.16, 84.55], [12, 50, 44, 80], [60, 90, 120, 120]]
    boxes = np.array([one["box"] for one in OBJECTS], dtype=float)
    target = {"boxes": boxes, "labels": np.array([one["label"] for one in OBJECTS])}
    found = [
        explore.DetectionTargets(box=box, thresholds=[0.3, 0.7]).numbers() for box in proposals
    ]
    assert [one["verdict"] for one in found] == ["positive", "ignored", "negative"]
    sampled = reference.detection_targets(proposals, target, 0.7, negative_iou=0.3)
    assert sampled.boxes[:2].tolist() == [found[0]["box"], found[2]["box"]]
    assert sampled.labels[:2].tolist() == [found[0]["class"], found[2]["class"]]
    assert sampled.deltas[0].tolist() == found[0]["weighted"]


@pytest.mark.parametrize("thresholded", [False, True])
def test_only_a_positive_proposal_has_a_mask_target(thresholded):
    """Around the square alone the target is its mask, a cell for each pixel; elsewhere zeros."""
    state = {"box": [18, 54, 46, 82], "mask_size": 28, "thresholded": thresholded}
    mask = explore.DetectionTargets(**state).numbers()["mask"]
    assert mask == scene_masks()[1, 54:82, 18:46].tolist()
    negative = explore.DetectionTargets(**state, thresholds=[0.9, 0.95]).numbers()
    assert not np.any(negative["mask"])
    assert negative["deltas"] == [None] * 4


def test_pasting_opens_on_half_pixels_that_are_missed():
    rules = explore.PasteMask().numbers()["rules"]
    wrong = {name: (one["missing"], one["extra"]) for name, one in rules.items()}
    assert wrong == {"on": (2, 0), "off": (23, 16), "on_rounded": (0, 56), "off_rounded": (1, 64)}
    assert rules["off"]["iou"] == pytest.approx((551 - 23) / (551 + 16))


@pytest.mark.parametrize(("rounded", "rule"), [(False, "aligned"), (True, "torchvision")])
@pytest.mark.parametrize("shape", ["square", "triangle"])
def test_half_pixels_paste_as_the_package_does(rounded, rule, shape):
    widget = explore.PasteMask(shape=shape, side=14)
    mask = scene.mask_target(shape, 14)[None, None]
    pasted = reference.paste_masks_in_image(mask, [widget.box], (128, 160), 1, 0.5, rule)
    assert np.array_equal(widget.paste(True, rounded), pasted[0, 0])


def test_without_half_pixels_a_mask_is_read_at_the_corners_of_pixels():
    """A box half a pixel further left and up, read at corners, gives what centres give."""
    centres = explore.PasteMask(box=[18, 54, 50, 86]).paste(True, False)
    corners = explore.PasteMask(box=[17.5, 53.5, 49.5, 85.5]).paste(False, False)
    assert np.array_equal(centres, corners)


def test_a_mask_is_pasted_into_the_box_of_its_object_unless_told_otherwise():
    assert explore.PasteMask(shape="disc").box == [39, 0, 118, 78]
    assert explore.PasteMask(shape="disc", box=[1, 2, 3, 4]).box == [1, 2, 3, 4]


def test_a_box_far_from_the_object_shares_no_pixel_with_it():
    numbers = explore.PasteMask(box=[100, 10, 120, 30]).numbers()
    assert numbers["here"]["missing"] == numbers["truth"] == 551
    assert numbers["here"]["extra"] == numbers["pasted"] > 100
    assert numbers["here"]["iou"] == 0


def test_average_precision_opens_on_a_tie_and_on_numbers_for_paper():
    numbers = explore.AveragePrecision().numbers()
    assert [row["name"] for row in numbers["rows"]] == list("ABGCHD")
    assert numbers["rows"][1]["score"] == numbers["rows"][2]["score"]
    found = [numbers["summaries"][way]["disc"] for way in ("coco", "voc", "area")]
    assert found == pytest.approx(
        [(26 + 25 * 2 / 3 + 25 * 3 / 5) / 101, (3 + 2 + 1.2) / 11, (1 + 2 / 3 + 3 / 5) / 4]
    )


def test_reversed_ties_move_the_mean_as_far_as_any_order_can():
    listed, swapped = (explore.AveragePrecision(ties=ties).numbers() for ties in ("listed", "best"))
    assert [row["name"] for row in swapped["rows"]] == list("AGBCHD")
    moved = swapped["summaries"]["coco"]["mean"] - listed["summaries"]["coco"]["mean"]
    assert moved == pytest.approx(listed["spread"]["width"], abs=1e-4)
    shown = (f"{listed['spread'][name]:.4f}" for name in ("worst", "best", "width"))
    assert list(shown) == ["0.6076", "0.6488", "0.0412"]


@pytest.mark.parametrize("index", range(10))
def test_average_precision_is_that_of_the_whole_evaluation(index):
    """The figure's detections, through ``reference.accumulate``, at each of its thresholds."""
    widget = explore.AveragePrecision(iou_threshold=0.5 + 0.05 * index)
    matched = [reference.evaluate_image(*pair) for pair in zip(*widget.images(), strict=True)]
    _, precision, _ = reference.accumulate(matched)
    found = precision[index, :, :, 0, -1].mean(axis=0)
    coco = widget.numbers()["summaries"]["coco"]
    assert [coco["disc"], coco["square"]] == pytest.approx(found.tolist())


def test_every_order_of_equal_scores_lies_between_the_worst_and_the_best():
    random = np.random.default_rng(3)
    for _ in range(40):
        scores = (random.integers(0, 4, 12) / 4).tolist()
        numbers = explore.AveragePrecision(scores=scores).numbers()
        shaken = [score + 1e-6 * random.random() for score in scores]
        mean = explore.AveragePrecision(scores=np.minimum(shaken, 1).tolist()).numbers()
        low, high = (numbers["spread"][name] for name in ("worst", "best"))
        assert low - 6e-5 <= mean["summaries"]["coco"]["mean"] <= high + 6e-5
