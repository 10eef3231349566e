"""Interaction with each live figure by mouse, touch and keys."""

import pytest

from roilearn import explore
from roilearn.explore.scene import WIDTH

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


def shown_right(page, figure, misread, n=0):
    """Every read-out shows the reference's number for the state that the page now holds."""
    numbers = figure(**page.state(n)).numbers()
    assert misread(page.read_outs(n), numbers) == []
    return numbers


def centre(page, n=0):
    box = page.handle(n).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def mouse_drag(page, start, dx, dy):
    page.page.mouse.move(*start)
    page.page.mouse.down()
    page.page.mouse.move(start[0] + dx / 2, start[1] + dy / 2)
    page.page.mouse.move(start[0] + dx, start[1] + dy)
    page.page.mouse.up()


def touch_drag(page, start, dx, dy):
    session = page.page.context.new_cdp_session(page.page)

    def touch(kind, x, y):
        points = [] if kind == "touchEnd" else [{"x": x, "y": y}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    x, y = start
    touch("touchStart", x, y)
    for part in (0.3, 0.6, 1):
        touch("touchMove", x + part * dx, y + part * dy)
    touch("touchEnd", x, y)


DRAGS = {"mouse": (mouse_drag, {}), "touch": (touch_drag, {"has_touch": True})}


def cells(page, columns, n=0):
    """Width of one cell of the first picture, in CSS pixels."""
    return page.width_of("svg", n) / columns


@pytest.mark.parametrize("by", DRAGS)
def test_point_is_dragged_by_half_a_cell(by, open_figure, wrong_read_outs):
    drag, options = DRAGS[by]
    page = open_figure(explore.InterpolationWeights(x=1.5, y=1.5), **options)
    cell = cells(page, 4)
    drag(page, centre(page), 0.5 * cell, 1.25 * cell)
    state = page.state()
    assert (state["x"], state["y"]) == (2.0, 2.75)
    numbers = shown_right(page, explore.InterpolationWeights, wrong_read_outs)
    assert numbers["value"] == pytest.approx(0.75 * (4 + 9) / 2 + 0.25 * (7 + 2) / 2)


@pytest.mark.parametrize("by", DRAGS)
def test_output_pixel_is_chosen_by_dragging_along(by, open_figure, wrong_read_outs):
    drag, options = DRAGS[by]
    page = open_figure(explore.ResizeGrids(selected=0), **options)
    width = page.width_of()
    x, y = centre(page)
    drag(page, (x - width / 2 + width / 8, y), width / 2, 0)
    assert page.state()["selected"] == 2
    numbers = shown_right(page, explore.ResizeGrids, wrong_read_outs)
    assert numbers["rules"]["corner"]["position"] == 1.5


@pytest.mark.parametrize("by", DRAGS)
def test_quantized_box_is_moved_and_its_edge_pulled(by, open_figure, wrong_read_outs):
    drag, options = DRAGS[by]
    page = open_figure(explore.Quantization(edges=[100, 500]), **options)
    pixel = page.width_of() / 1024
    drag(page, centre(page), 64 * pixel, 0)
    assert page.state()["edges"] == [164, 564]
    x, y = centre(page)
    drag(page, (x + 200 * pixel, y), -100 * pixel, 0)
    assert page.state()["edges"] == [164, 464]
    shown_right(page, explore.Quantization, wrong_read_outs)


@pytest.mark.parametrize("by", DRAGS)
def test_box_is_moved_and_resized_in_both_panels(by, open_figure, wrong_read_outs):
    drag, options = DRAGS[by]
    page = open_figure(explore.PoolAndAlign(box=[32, 32, 96, 80]), **options)
    cell = cells(page, 10)
    drag(page, centre(page), 2 * cell, cell)
    assert page.state()["box"] == [64, 48, 128, 96]
    x, y = centre(page)
    drag(page, (x + 2 * cell, y + 1.5 * cell), cell, -cell)  # the lower right corner
    assert page.state()["box"] == [64, 48, 144, 80]
    box = page.page.locator(".roi-handle").nth(1).bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    drag(page, middle, -cell, 0)
    assert page.state()["box"] == [48, 48, 128, 80]
    shown_right(page, explore.PoolAndAlign, wrong_read_outs)


@pytest.mark.parametrize("by", DRAGS)
def test_box_slides_by_its_handle(by, open_figure, wrong_read_outs):
    drag, options = DRAGS[by]
    page = open_figure(explore.SlidingBox(offset=4), **options)
    chart = page.page.locator(".roi-figure svg").nth(1).bounding_box()["width"] - 34 - 14
    drag(page, centre(page), chart / 4, 0)
    assert page.state()["offset"] == 8
    shown_right(page, explore.SlidingBox, wrong_read_outs)


@pytest.mark.parametrize("by", DRAGS)
def test_the_edge_of_a_bin_is_pulled_on_the_map_and_under_the_chart(
    by, open_figure, wrong_read_outs
):
    drag, options = DRAGS[by]
    page = open_figure(explore.BinMean(box=[16, 16, 112, 96]), **options)
    edge = page.page.locator(".roi-handle").first.bounding_box()
    middle = (edge["x"] + edge["width"] / 2, edge["y"] + edge["height"] / 2)
    drag(page, middle, -cells(page, 10), 0)
    assert page.state()["box"] == [16, 16, 96, 96]
    chart = page.page.locator(".roi-figure svg[role=group]").bounding_box()["width"] - 34 - 14
    drag(page, centre(page), chart * 28 / 140, 0)
    assert page.state()["box"] == [16, 16, 124, 96]
    shown_right(page, explore.BinMean, wrong_read_outs)


@pytest.mark.parametrize("by", DRAGS)
def test_the_box_of_the_bags_is_moved_and_a_cell_in_it_tapped(by, open_figure, wrong_read_outs):
    drag, options = DRAGS[by]
    page = open_figure(explore.BagMatrix(box=[16, 16, 80, 64]), **options)
    cell = cells(page, 6)
    drag(page, centre(page), cell, -cell)
    assert page.state()["box"] == [32, 0, 96, 48]
    drag(page, centre(page), 1, 1)  # rows 1, columns 4: the middle of the box is at (64, 24) px
    assert (page.state()["look"], page.state()["cell"]) == ("cell", 6 + 4)
    shown_right(page, explore.BagMatrix, wrong_read_outs)


def test_an_output_a_cell_outside_the_box_and_a_place_in_the_matrix_choose(
    open_figure, wrong_read_outs
):
    page = open_figure(explore.BagMatrix(box=[32, 32, 80, 64], look="cell"))
    outputs = page.page.locator(".roi-output button")
    outputs.nth(3).click()
    assert (page.state()["look"], page.state()["bag"]) == ("bag", 3)
    assert outputs.nth(3).get_attribute("aria-pressed") == "true"
    page.page.locator(".roi-cell").nth(2).click()
    assert (page.state()["look"], page.state()["cell"]) == ("cell", 2)
    matrix = page.page.locator("svg[role=img]").bounding_box()
    column = (matrix["width"] - 27) / 30
    at = matrix["x"] + 26 + 9.5 * column, matrix["y"]
    page.page.mouse.click(at[0], at[1] + 10)  # the strip above
    assert (page.state()["look"], page.state()["cell"]) == ("cell", 9)
    page.page.mouse.click(at[0], at[1] + 28 + 1.5 * 22)
    assert (page.state()["look"], page.state()["bag"]) == ("bag", 1)
    shown_right(page, explore.BagMatrix, wrong_read_outs)


@pytest.mark.parametrize("by", DRAGS)
def test_the_cell_is_dragged_over_the_scene_and_a_pressed_place_chosen(
    by, open_figure, wrong_read_outs
):
    drag, options = DRAGS[by]
    page = open_figure(explore.ReceptiveField(level=4, cell=[2, 2]), **options)
    cell = 16 * page.width_of() / (160 + 2 * 44)
    drag(page, centre(page), 3 * cell, -cell)
    assert page.state()["cell"] == [1, 5]
    scene = page.page.locator(".roi-scene").bounding_box()
    place = scene["x"] + scene["width"] * 0.05, scene["y"] + scene["height"] * 0.95
    page.page.touchscreen.tap(*place) if by == "touch" else page.page.mouse.click(*place)
    assert page.state()["cell"] == [7, 0]
    shown_right(page, explore.ReceptiveField, wrong_read_outs)


def test_another_map_keeps_the_place_and_c5_brings_its_network(open_figure, wrong_read_outs):
    page = open_figure(explore.ReceptiveField(level=3, cell=[8, 5]))  # the middle is at (44, 68) px
    figure = page.page.locator(".roi-figure")
    figure.get_by_label("C2", exact=True).click()
    assert (page.state()["level"], page.state()["cell"]) == (2, [17, 11])
    figure.get_by_label("C5 (ResNet-50)").click()
    assert (page.state()["network"], page.state()["cell"]) == ("resnet50", [2, 1])
    assert not figure.locator(".roi-gradient-picture").is_visible()
    shown_right(page, explore.ReceptiveField, wrong_read_outs)
    figure.get_by_label("SHAPES").click()
    assert (page.state()["level"], page.state()["cell"]) == (4, [5, 3])
    assert figure.locator(".roi-gradient-picture").is_visible()
    shown_right(page, explore.ReceptiveField, wrong_read_outs)


@pytest.mark.parametrize("by", DRAGS)
def test_the_corner_of_the_box_is_pulled_to_another_level(by, open_figure, wrong_read_outs):
    drag, options = DRAGS[by]
    page = open_figure(explore.LevelOfBox(side=128, box=[32, 32, 64, 64]), **options)
    pixel = page.width_of() / 160
    x, y = centre(page)
    drag(page, (x + 16 * pixel, y + 16 * pixel), 64 * pixel, 48 * pixel)
    assert page.state()["box"] == [32, 32, 128, 112]
    numbers = shown_right(page, explore.LevelOfBox, wrong_read_outs)
    assert [one["level"] for one in numbers["rules"].values()] == [2, 3]
    assert page.page.locator(".roi-differ").is_visible()


@pytest.mark.parametrize("by", DRAGS)
def test_the_object_is_dragged_to_its_anchor_and_its_corner_pulled(
    by, open_figure, wrong_read_outs
):
    drag, options = DRAGS[by]
    page = open_figure(explore.AnchorsAtPoint(box=[18, 54, 42, 78]), **options)
    pixel = page.width_of(".roi-scene") / 80
    drag(page, centre(page), 6 * pixel, 2 * pixel)
    assert page.state()["box"] == [24, 56, 48, 80]
    numbers = shown_right(page, explore.AnchorsAtPoint, wrong_read_outs)
    assert (numbers["best"]["number"], numbers["best"]["iou"]) == (2, 1)
    assert numbers["best"]["deltas"] == [0, 0, 0, 0]
    x, y = centre(page)
    drag(page, (x + 12 * pixel, y + 12 * pixel), 8 * pixel, 8 * pixel)
    assert page.state()["box"] == [24, 56, 56, 88]
    shown_right(page, explore.AnchorsAtPoint, wrong_read_outs)


def test_words_and_marks_of_the_anchors_follow_the_controls(open_figure, wrong_read_outs):
    page = open_figure(explore.AnchorsAtPoint())
    assert page.page.locator("td.roi-best").get_attribute("data-anchor") == "1"
    page.page.get_by_label("0", exact=True).click()
    assert page.page.locator("td.roi-best").get_attribute("data-anchor") == "7"
    page.page.get_by_label("anchor size, px").fill("36")
    assert page.page.locator(".roi-anchor.roi-positive").count() >= 1
    shown_right(page, explore.AnchorsAtPoint, wrong_read_outs)


def test_pointing_at_a_number_shows_its_anchor(open_figure):
    page = open_figure(explore.AnchorsAtPoint())
    pointed = page.page.locator(".roi-anchor.roi-pointed")
    page.page.locator("td[data-anchor='6']").hover()
    assert pointed.get_attribute("data-outline") == "6"
    page.page.locator(".roi-told").hover()
    assert pointed.count() == 0


@pytest.mark.parametrize("by", DRAGS)
def test_the_box_of_a_mask_is_moved_by_quarters_of_a_pixel_and_its_corner_pulled(
    by, open_figure, wrong_read_outs
):
    drag, options = DRAGS[by]
    page = open_figure(explore.PasteMask(box=[18, 54, 50, 86]), **options)
    pixel = page.width_of(".roi-scene") / 44
    drag(page, centre(page), -2.25 * pixel, 1.5 * pixel)
    assert page.state()["box"] == [15.75, 55.5, 47.75, 87.5]
    shown_right(page, explore.PasteMask, wrong_read_outs)
    x, y = centre(page)
    drag(page, (x + 16 * pixel, y + 16 * pixel), 2.5 * pixel, -3 * pixel)
    assert page.state()["box"] == [15.75, 55.5, 50.25, 84.5]
    shown_right(page, explore.PasteMask, wrong_read_outs)


@pytest.mark.parametrize("by", DRAGS)
def test_the_step_of_the_losses_is_dragged_and_another_chart_pressed(
    by, open_figure, wrong_read_outs
):
    drag, options = DRAGS[by]
    page = open_figure(explore.LossCurves(point=10), **options)
    wide = (page.width_of() - 3 * 30 - 2 * 18) / 3  # of a chart; three are side by side
    drag(page, centre(page), wide / 5, 6)
    assert page.state()["point"] == 16
    box = page.page.locator(".roi-charts").bounding_box()
    page.page.mouse.click(box["x"] + 30 + wide + 18 + 30 + 0.4 * wide, box["y"] + 180)
    assert page.state()["point"] == 11
    page.page.mouse.click(box["x"] + 30 + wide + 18 + 30 + 0.8 * wide, box["y"] + 180)
    assert page.state()["point"] == 22
    shown_right(page, explore.LossCurves, wrong_read_outs)


def test_a_diagnosis_is_told_when_asked_and_hidden_with_the_next_patient(
    open_figure, wrong_read_outs
):
    page = open_figure(explore.LossCurves())
    words = page.page.locator(".roi-diagnosis")
    assert not words.is_visible()
    page.page.get_by_label("show the diagnosis").click()
    assert "every label is one too high" in words.inner_text()
    shown_right(page, explore.LossCurves, wrong_read_outs)
    page.page.get_by_label("C", exact=True).click()
    assert page.state() == {"patient": "C", "point": 28, "told": False}
    assert not words.is_visible()
    shown_right(page, explore.LossCurves, wrong_read_outs)


def test_another_object_brings_its_box_and_the_switches_mark_their_row(
    open_figure, wrong_read_outs
):
    page = open_figure(explore.PasteMask())
    current = page.page.locator("tr.roi-current")
    assert current.get_attribute("data-rule") == "off"
    page.page.get_by_label("half pixels").click()
    page.page.get_by_label("box rounded").click()
    assert current.get_attribute("data-rule") == "on_rounded"
    page.page.get_by_label("triangle").click()
    assert page.state()["box"] == [119, 104, 133, 117]
    shown_right(page, explore.PasteMask, wrong_read_outs)


def test_the_box_of_a_mask_stays_a_pixel_long_and_in_the_picture(open_figure, wrong_read_outs):
    page = open_figure(explore.PasteMask(box=[18, 54, 19.25, 86]))
    page.handle().focus()
    for _ in range(3):
        page.page.keyboard.press("Shift+ArrowLeft")
    assert page.state()["box"] == [18, 54, 19, 86]
    for _ in range(30):
        page.page.keyboard.press("ArrowDown")
    assert page.state()["box"] == [18, 60, 19, 92]
    shown_right(page, explore.PasteMask, wrong_read_outs)


def test_another_image_takes_the_box_with_it_and_levels_keep_their_order(
    open_figure, wrong_read_outs
):
    page = open_figure(explore.LevelOfBox())
    page.page.get_by_label("160 \N{MULTIPLICATION SIGN} 128").click()
    assert (page.state()["side"], page.state()["box"]) == (128, [18, 54, 50, 86])
    page.page.get_by_label("last level").fill("3")
    page.page.get_by_label("first level").fill("5")
    assert page.state()["levels"] == [5, 5]
    page.page.get_by_label("last level").fill("2")
    assert page.state()["levels"] == [2, 2]
    shown_right(page, explore.LevelOfBox, wrong_read_outs)
    assert not page.page.locator(".roi-differ").is_visible()


@pytest.mark.parametrize("by", DRAGS)
def test_the_chosen_box_is_dragged_and_another_chosen_by_a_press(by, open_figure, wrong_read_outs):
    drag, options = DRAGS[by]
    page = open_figure(explore.NmsSteps(chosen="E", iou_threshold=0.4), **options)
    pixel = page.width_of() / 160
    drag(page, centre(page), -16 * pixel, 0)  # onto C, and so nearer to A, which removes it now
    assert page.state()["boxes"][4] == [55, 10, 133, 86]
    numbers = shown_right(page, explore.NmsSteps, wrong_read_outs)
    assert numbers["rows"][4]["state"] == "removed now"
    scene = page.page.locator(".roi-scene").bounding_box()
    for (x, y), name in (((24, 87), "B"), ((100, 5), "C"), ((126, 112), "D")):
        place = scene["x"] + x * pixel, scene["y"] + y * pixel
        page.page.touchscreen.tap(*place) if by == "touch" else page.page.mouse.click(*place)
        assert page.state()["chosen"] == name
    assert page.state()["boxes"][:4] == explore.NmsSteps().boxes[:4]


def test_steps_go_on_to_the_result_and_tell_what_happens(open_figure, wrong_read_outs):
    page = open_figure(explore.NmsSteps(step=0))
    figure = page.page.locator(".roi-figure")
    said = figure.locator("[role=status]")
    assert "No box is decided yet" in said.inner_text()
    told = {
        "A": "A removes C (IoU 0.566 > 0.50).",
        "B": "B does not remove F (IoU 0.608 > 0.50), which has another class.",
        "D": "D removes no box.",
        "E": "C (IoU 0.636 > 0.50) would have removed E, but a removed box removes nothing.",
        "F": "No box is left.",
    }
    for now, words in told.items():
        figure.get_by_role("button", name="Next step").click()
        assert shown_right(page, explore.NmsSteps, wrong_read_outs)["now"] == now
        assert words in said.inner_text()
    result = "Result, by descending score: A, B, D, E, F."
    assert figure.locator(".roi-result").inner_text() == result
    page.page.keyboard.press("Enter")  # the button keeps the focus at the end, and does nothing
    assert page.state()["step"] == 5
    figure.get_by_role("button", name="Back").click()
    assert page.state()["step"] == 4
    assert figure.locator(".roi-result").inner_text() == "Kept so far: A, B, D, E."


SIX = [*([0, 0, 20 + i, 20] for i in range(4)), [8, 8, 40, 40], [9, 100, 50, 128]]


@pytest.mark.parametrize("by", DRAGS)
def test_a_proposal_is_dragged_off_its_object_and_pulled_back(by, open_figure, wrong_read_outs):
    drag, options = DRAGS[by]
    page = open_figure(explore.DetectionTargets(), **options)
    pixel = page.width_of(".roi-scene") / WIDTH
    drag(page, centre(page), 10 * pixel, -4 * pixel)
    assert page.state()["box"] == [28.74, 49.01, 60.16, 80.55]
    numbers = shown_right(page, explore.DetectionTargets, wrong_read_outs)
    assert (numbers["verdict"], numbers["class"]) == ("negative", 0)
    assert page.page.locator(".roi-true-box.roi-negative").is_visible()
    x, y = centre(page)
    drag(page, (x - 15.71 * pixel, y + 15.77 * pixel), -10 * pixel, 4 * pixel)
    assert page.state()["box"] == [19, 49.01, 60.16, 85]  # edges that are pulled are whole pixels
    numbers = shown_right(page, explore.DetectionTargets, wrong_read_outs)
    assert (numbers["verdict"], numbers["best"]["name"]) == ("positive", "square")


def test_thresholds_keep_their_order_and_make_a_band_that_is_ignored(open_figure, wrong_read_outs):
    page = open_figure(explore.DetectionTargets(box=[12, 50, 44, 80]))  # IoU 0.52
    words = page.page.locator(".roi-verdict")
    assert words.inner_text().startswith("Positive: ")
    page.page.get_by_label("positive from IoU").fill("0.7")
    assert page.state()["thresholds"] == [0.5, 0.7]
    assert words.inner_text().startswith("Ignored: ")
    assert page.page.locator(".roi-true-box.roi-ignored").is_visible()
    page.page.get_by_label("negative below IoU").fill("0.8")
    assert page.state()["thresholds"] == [0.8, 0.8]
    assert words.inner_text().startswith("Negative: ")
    page.page.get_by_label("positive from IoU").fill("0.4")
    assert page.state()["thresholds"] == [0.4, 0.4]
    assert page.page.locator(".roi-true-box.roi-positive").is_visible()
    shown_right(page, explore.DetectionTargets, wrong_read_outs)


TWELVE = [0.5] * 12


def moved(n, score):
    return [*TWELVE[:n], score, *TWELVE[n + 1 :]]


@pytest.mark.parametrize("by", DRAGS)
def test_a_detection_is_dragged_along_the_scores_and_changes_rank(by, open_figure, wrong_read_outs):
    drag, options = DRAGS[by]
    page = open_figure(explore.AveragePrecision(), **options)
    reach = page.width_of(".roi-scores") - 28
    drag(page, centre(page), -0.25 * reach, 0)
    assert page.state()["scores"][1] == pytest.approx(0.55, abs=0.011)
    numbers = shown_right(page, explore.AveragePrecision, wrong_read_outs)
    assert [row["name"] for row in numbers["rows"]] == list("AGCBHD")
    assert numbers["summaries"]["coco"]["mean"] > 0.64


def test_ranks_change_by_buttons_and_letters_rows_and_discs_choose(open_figure, wrong_read_outs):
    page = open_figure(explore.AveragePrecision())
    figure = page.page.locator(".roi-figure")
    figure.get_by_role("button", name="Rank down").click()
    assert page.state()["scores"][1] == 0.79
    figure.get_by_role("button", name="Rank up").click()
    assert page.state()["scores"][1] == 0.81
    figure.get_by_role("button", name="Rank up").click()
    page.page.keyboard.press("Enter")  # B is the first now: the button does nothing
    assert page.state()["scores"][1] == 0.91
    figure.locator(".roi-ranking tbody tr").nth(4).click()
    assert page.state()["chosen"] == "H"
    figure.get_by_label("K", exact=True).click()
    numbers = shown_right(page, explore.AveragePrecision, wrong_read_outs)
    assert (page.state()["chosen"], numbers["class"]) == ("K", "square")
    scores = figure.locator(".roi-scores").bounding_box()
    place = scores["x"] + 14 + 0.7 * (scores["width"] - 28), scores["y"] + 14
    page.page.mouse.click(*place)
    assert page.state()["chosen"] == "I"


def test_the_order_of_equal_scores_is_chosen(open_figure, wrong_read_outs):
    page = open_figure(explore.AveragePrecision())
    page.page.get_by_label("right ones first").click()
    numbers = shown_right(page, explore.AveragePrecision, wrong_read_outs)
    best = pytest.approx(numbers["spread"]["best"], abs=5e-5)
    assert numbers["summaries"]["coco"]["mean"] == best
    page.page.get_by_label("IoU threshold").fill("0.75")
    numbers = shown_right(page, explore.AveragePrecision, wrong_read_outs)
    assert [row["verdict"] for row in numbers["rows"]].count("right") == 2


@pytest.mark.parametrize("by", DRAGS)
def test_errors_are_mended_by_a_drag_and_a_class_and_the_ap_rises(by, open_figure, wrong_read_outs):
    drag, options = DRAGS[by]
    page = open_figure(explore.ErrorKinds(), **options)
    pixel = page.width_of(".roi-scene") / WIDTH
    drag(page, centre(page), -7 * pixel, -9 * pixel)
    assert page.state()["boxes"][2] == [17, 53, 51, 87]
    numbers = shown_right(page, explore.ErrorKinds, wrong_read_outs)
    assert (numbers["rows"][2]["state"], numbers["ap"]["square"]) == ("right", 0.5)
    page.page.get_by_label("D", exact=True).check(force=True)
    page.page.get_by_label("triangle", exact=True).check(force=True)
    numbers = shown_right(page, explore.ErrorKinds, wrong_read_outs)
    assert (numbers["rows"][3]["state"], numbers["ap"]["mean"]) == ("right", 1)
    assert (
        "3 right, 2 wrong. Each object is found." in page.page.locator(".roi-result").inner_text()
    )


def test_a_score_changes_the_ranking_and_the_threshold_what_is_right(open_figure, wrong_read_outs):
    page = open_figure(explore.ErrorKinds(chosen="B"))
    page.page.get_by_label("its score").fill("0.99")  # the duplicate is first, and right
    numbers = shown_right(page, explore.ErrorKinds, wrong_read_outs)
    assert [row["state"] for row in numbers["rows"]][:2] == ["duplicate", "right"]
    page.page.get_by_label("0.75", exact=True).check(force=True)
    numbers = shown_right(page, explore.ErrorKinds, wrong_read_outs)
    assert [row["state"] for row in numbers["rows"]][:2] == ["right", "misplaced"]
    assert numbers["ap"]["disc"] == 0.5


@pytest.mark.parametrize("by", DRAGS)
def test_a_stage_is_dragged_and_pressed_and_the_mistake_told(by, open_figure, wrong_read_outs):
    drag, options = DRAGS[by]
    page = open_figure(explore.LayerDifferences(port="D"), **options)
    advice = page.page.locator(".roi-advice")
    assert advice.inner_text().startswith("Its input is the same, but an earlier stage")
    drag(page, centre(page), 0, -3 * 24)
    assert page.state()["stage"] == 10
    assert shown_right(page, explore.LayerDifferences, wrong_read_outs)["name"] == "box_roi_pool"
    assert "the mistake is in this stage" in advice.inner_text()
    picture = page.page.locator(".roi-figure svg").bounding_box()
    page.page.mouse.click(picture["x"] + 200, picture["y"] + 6 + 11.5 * 24)
    assert page.state()["stage"] == 11
    assert "look at an earlier stage" in advice.inner_text()
    fault = page.page.get_by_text("The mistake is to")
    assert not fault.is_visible()
    page.page.get_by_label("tell the mistake").check()
    assert "finest map" in fault.inner_text()
    page.page.get_by_label("E", exact=True).check()
    assert page.state()["revealed"] is False  # another port is another riddle
    shown_right(page, explore.LayerDifferences, wrong_read_outs)


KEYS = [
    (explore.InterpolationWeights, {"x": 1.0, "y": 1.0}, "ArrowRight", {"x": 1.05}),
    (explore.InterpolationWeights, {"x": 1.0, "y": 1.0}, "Shift+ArrowDown", {"y": 1.5}),
    (explore.InterpolationWeights, {"x": 0.0, "y": 4.0}, "Shift+ArrowLeft", {"x": 0.0}),
    (explore.ResizeGrids, {"selected": 1}, "ArrowRight", {"selected": 2}),
    (explore.ResizeGrids, {"selected": 1}, "ArrowLeft", {"selected": 0}),
    (explore.ResizeGrids, {"out_size": 9, "selected": 1}, "Shift+ArrowRight", {"selected": 5}),
    (explore.Quantization, {"edges": [10, 50]}, "ArrowRight", {"edges": [11, 51]}),
    (explore.Quantization, {"edges": [10, 50]}, "Shift+ArrowLeft", {"edges": [10, 49]}),
    (explore.Quantization, {"edges": [0, 50]}, "ArrowLeft", {"edges": [0, 50]}),
    (explore.PoolAndAlign, {"box": [8, 8, 40, 40]}, "ArrowDown", {"box": [8, 9, 40, 41]}),
    (explore.PoolAndAlign, {"box": [8, 8, 40, 40]}, "Shift+ArrowRight", {"box": [8, 8, 41, 40]}),
    (explore.PoolAndAlign, {"box": [8, 8, 9, 40]}, "Shift+ArrowLeft", {"box": [8, 8, 9, 40]}),
    (explore.SlidingBox, {"offset": 5}, "ArrowRight", {"offset": 5.25}),
    (explore.SlidingBox, {"offset": 5}, "Shift+ArrowLeft", {"offset": 4}),
    (explore.SlidingBox, {"offset": 16}, "ArrowRight", {"offset": 16}),
    (explore.BinMean, {"box": [8, 8, 60, 40]}, "ArrowRight", {"box": [8, 8, 61, 40]}),
    (explore.BinMean, {"box": [8, 8, 60, 40]}, "Shift+ArrowLeft", {"box": [8, 8, 44, 40]}),
    (explore.BinMean, {"box": [8, 8, 160, 40]}, "ArrowRight", {"box": [8, 8, 160, 40]}),
    (explore.BagMatrix, {"box": [8, 8, 40, 40]}, "ArrowDown", {"box": [8, 9, 40, 41]}),
    (explore.BagMatrix, {"box": [8, 8, 40, 40]}, "Shift+ArrowLeft", {"box": [8, 8, 39, 40]}),
    (explore.ReceptiveField, {"level": 3, "cell": [8, 4]}, "ArrowRight", {"cell": [8, 5]}),
    (explore.ReceptiveField, {"level": 3, "cell": [8, 4]}, "Shift+ArrowUp", {"cell": [4, 4]}),
    (explore.ReceptiveField, {"level": 4, "cell": [7, 9]}, "ArrowDown", {"cell": [7, 9]}),
    (explore.LevelOfBox, {"box": [8, 8, 40, 40]}, "ArrowRight", {"box": [8, 8, 41, 40]}),
    (explore.LevelOfBox, {"box": [8, 8, 40, 40]}, "Shift+ArrowDown", {"box": [8, 9, 40, 41]}),
    (explore.LevelOfBox, {"box": [8, 0, 40, 800]}, "ArrowDown", {"box": [8, 0, 40, 800]}),
    (explore.AnchorsAtPoint, {"box": [8, 40, 40, 80]}, "ArrowDown", {"box": [8, 41, 40, 81]}),
    (explore.AnchorsAtPoint, {"box": [8, 40, 40, 80]}, "Shift+ArrowLeft", {"box": [8, 40, 39, 80]}),
    (explore.AnchorsAtPoint, {"box": [8, 36, 40, 80]}, "ArrowUp", {"box": [8, 36, 40, 80]}),
    (explore.NmsSteps, {"boxes": SIX}, "ArrowRight", {"boxes": [*SIX[:4], [9, 8, 41, 40], SIX[5]]}),
    (
        explore.NmsSteps,
        {"boxes": SIX},
        "Shift+ArrowUp",
        {"boxes": [*SIX[:4], [8, 8, 40, 39], SIX[5]]},
    ),
    (explore.NmsSteps, {"boxes": SIX, "chosen": "F"}, "ArrowDown", {"boxes": SIX}),
    (
        explore.ErrorKinds,
        {"boxes": SIX[:5], "chosen": "E"},
        "ArrowRight",
        {"boxes": [*SIX[:4], [9, 8, 41, 40]]},
    ),
    (explore.DetectionTargets, {"box": [8.25, 8, 40, 40]}, "ArrowLeft", {"box": [7.25, 8, 39, 40]}),
    (explore.DetectionTargets, {"box": [8, 8, 40, 40]}, "Shift+ArrowDown", {"box": [8, 8, 40, 41]}),
    (explore.DetectionTargets, {"box": [8, 8, 40, 128]}, "ArrowDown", {"box": [8, 8, 40, 128]}),
    (explore.PasteMask, {"box": [18, 54, 50, 86]}, "ArrowUp", {"box": [18, 53.75, 50, 85.75]}),
    (
        explore.PasteMask,
        {"box": [18, 54, 50, 86]},
        "Shift+ArrowRight",
        {"box": [18, 54, 50.25, 86]},
    ),
    (explore.PasteMask, {"box": [12, 54, 50, 86]}, "ArrowLeft", {"box": [12, 54, 50, 86]}),
    (explore.AveragePrecision, {"scores": TWELVE}, "ArrowUp", {"scores": moved(1, 0.51)}),
    (explore.AveragePrecision, {"scores": TWELVE}, "Shift+ArrowLeft", {"scores": moved(1, 0.4)}),
    (explore.AveragePrecision, {"scores": moved(1, 1.0)}, "ArrowRight", {"scores": moved(1, 1.0)}),
    (explore.LayerDifferences, {"stage": 5}, "ArrowUp", {"stage": 4}),
    (explore.LayerDifferences, {"stage": 5}, "Shift+ArrowDown", {"stage": 9}),
    (explore.LayerDifferences, {"stage": 13}, "ArrowDown", {"stage": 13}),
    (explore.LossCurves, {"point": 7}, "ArrowRight", {"point": 8}),
    (explore.LossCurves, {"point": 7}, "Shift+ArrowDown", {"point": 2}),
    (explore.LossCurves, {"point": 28}, "ArrowUp", {"point": 28}),
]


@pytest.mark.parametrize(
    ("figure", "state", "key", "expected"),
    KEYS,
    ids=[f"{figure.__name__}-{key}-{n}" for n, (figure, _, key, _) in enumerate(KEYS)],
)
def test_keys_step_the_handle(figure, state, key, expected, open_figure, wrong_read_outs):
    page = open_figure(figure(**state))
    page.handle().focus()
    told = page.handle().get_attribute("aria-valuetext")
    page.page.keyboard.press(key)
    now = page.state()
    assert {name: now[name] for name in expected} == expected
    shown_right(page, figure, wrong_read_outs)
    moved = any(now[name] != state[name] for name in expected)
    assert (page.handle().get_attribute("aria-valuetext") != told) is moved


def test_a_finger_that_starts_downwards_scrolls_the_page(open_figure):
    page = open_figure(
        explore.ResizeGrids(), has_touch=True, viewport={"width": 360, "height": 400}
    )
    touch_drag(page, (180, 300), 4, -120)
    page.page.wait_for_function("scrollY > 50")
    assert page.state()["selected"] == 2


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.__name__)
def test_every_native_control_moves_the_model_and_the_numbers(figure, open_figure, wrong_read_outs):
    page = open_figure(figure())
    controls = page.page.locator(".roi-controls input")
    changed = set()
    for control in controls.all():
        slider = control.get_attribute("type") == "range"
        for press in ("Home", "End", "ArrowLeft") if slider else ("Space",):
            before = dict(page.state())
            control.focus()
            page.page.keyboard.press(press)
            after = page.state()
            changed |= {name for name in after if after[name] != before[name]}
            shown_right(page, figure, wrong_read_outs)
    assert page.page.evaluate("figures[0].model.saved") > 0
    assert len(changed) >= 3


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.__name__)
def test_one_handle_can_be_focused_and_says_what_it_is(figure, open_figure):
    page = open_figure(figure())
    assert page.handle().count() == 1
    handle = page.handle()
    for attribute in ("aria-label", "aria-valuetext", "aria-valuenow", "aria-valuemin"):
        assert handle.get_attribute(attribute)
    page.page.keyboard.press("Tab")
    handle.focus()
    page.page.keyboard.press("ArrowRight")  # focus shown by a keyboard has a ring
    assert handle.evaluate("node => getComputedStyle(node).strokeWidth") == "2px"
    unlabelled = "nodes => nodes.filter((node) => !node.labels.length).length"
    assert page.page.locator(".roi-controls input").evaluate_all(unlabelled) == 0


def test_pressing_an_output_or_a_bin_shows_how_it_was_made(open_figure, wrong_read_outs):
    page = open_figure(explore.PoolAndAlign())
    page.page.locator(".roi-output").nth(1).locator("button").nth(2).click()
    assert page.state()["selected"] == [1, 0]
    box = page.page.locator(".roi-handle").nth(1).bounding_box()
    page.page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.75)
    assert page.state()["selected"] == [1, 1]
    shown_right(page, explore.PoolAndAlign, wrong_read_outs)


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.__name__)
def test_two_instances_on_a_page_are_independent(figure, open_figure, wrong_read_outs):
    page = open_figure(figure(), figure(), over="file")
    untouched = dict(page.state(0))
    page.handle(1).focus()
    page.page.keyboard.press("ArrowLeft")
    page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("ArrowRight")
    for n in (0, 1):
        shown_right(page, figure, wrong_read_outs, n)
    for radio in page.page.locator(".roi-figure").nth(1).locator("input[type=radio]").all():
        radio.click()
    assert page.state(0) == untouched
    assert page.state(1) != untouched
    for n in (0, 1):
        shown_right(page, figure, wrong_read_outs, n)


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.__name__)
def test_cleanup_leaves_nothing_behind(figure, open_figure):
    page = open_figure(figure())
    page.page.evaluate("figures[0].cleanup()")
    assert page.page.locator(".roi-figure").count() == 0
    left = "Object.values(figures[0].model.handlers).flat().length"
    assert page.page.evaluate(left) == 0
    page.page.set_viewport_size({"width": 500, "height": 500})
    state = dict(figure().state())
    page.compute({name: state[name] for name in state})
