"""The answers of chapter 1 are right by another road, and readers' own variants are recognised."""

import numpy as np
import pytest

from roilearn import exercises
from roilearn.exercises import chapter1
from roilearn.exercises.operators.bilinear_points import MANY_POINTS, bilinear_points
from roilearn.exercises.operators.resize import RESIZE, resize

torch = pytest.importorskip("torch")


def test_many_points_are_those_of_grid_sample():
    for features, rows, columns in MANY_POINTS.calls:
        height, width = features.shape[1:]
        grid = np.stack([(columns + 0.5) / width * 2 - 1, (rows + 0.5) / height * 2 - 1], -1)
        read = torch.nn.functional.grid_sample(
            torch.from_numpy(features)[None],
            torch.from_numpy(grid)[None, None],
            padding_mode="border",
            align_corners=False,
        )
        assert bilinear_points(features, rows, columns) == pytest.approx(read[0, :, 0].numpy())


def test_resizing_is_that_of_pytorch():
    for image, height, width in RESIZE.calls:
        out = torch.nn.functional.interpolate(
            torch.from_numpy(image)[None, None], (height, width), mode="bilinear"
        )
        assert resize(image, height, width) == pytest.approx(out[0, 0].numpy())


def test_the_weights_are_those_that_autograd_finds():
    image = torch.zeros(1, 1, 4, 4, requires_grad=True)
    row, column = chapter1.PLACE
    grid = torch.tensor([[[[(column + 0.5) / 2 - 1, (row + 0.5) / 2 - 1]]]])
    torch.nn.functional.grid_sample(image, grid, align_corners=False).sum().backward()
    found = image.grad[0, 0, 2:4, 0:2].flatten()
    np.testing.assert_allclose(chapter1.BY_HAND.answer, found, atol=1e-6)


@pytest.mark.parametrize("number", ["1.1", "1.3", "1.5"])
def test_the_answers_as_the_book_prints_them_pass(number):
    printed = {"1.1": [0.3, 0.45, 0.1, 0.15], "1.3": " Corner ", "1.5": 7 / 2}
    assert exercises.check(number, printed[number])


@pytest.mark.parametrize(
    ("number", "written", "mistake"),
    [
        ("1.1", [[0.3, 0.45], [0.1, 0.15]], "as the cells lie"),
        ("1.1", [0.45, 0.3, 0.15, 0.1], "mirrored left to right"),
        ("1.1", [0.1, 0.15, 0.3, 0.45], "mirrored top to bottom"),
        ("1.3", "Half-pixel", "half_pixel"),
        ("1.3", "corner, truncated", "corner_truncated"),
        ("1.3", "align-corners", "align_corners"),
        ("1.5", -3.5, "with its sign"),
    ],
)
def test_answers_spelled_as_the_chapter_spells_them_are_understood(number, written, mistake):
    assert exercises.check(number, written).mistake == mistake


def test_rounding_up_or_to_even_is_the_same_nearest_cell():
    def nearest(image, row, column, whole=round):
        height, width = image.shape
        return image[min(max(whole(row), 0), height - 1), min(max(whole(column), 0), width - 1)]

    def half_up(image, row, column):
        return nearest(image, row, column, lambda place: int(np.floor(place + 0.5)))

    assert exercises.check("1.2", nearest).mistake == "nearest neighbour"
    assert exercises.check("1.2", half_up).mistake == "nearest neighbour"


def test_half_a_pixel_taken_off_once_more_is_named():
    def from_the_edge(image, row, column):
        return three_lines(image, row - 0.5, column - 0.5)

    assert exercises.check("1.2", from_the_edge).mistake == "half a pixel twice"


def three_lines(image, row, column):
    """Bilinear as a reader may write it: along each row, then between them."""
    row = min(max(row, 0), image.shape[0] - 1)
    column = min(max(column, 0), image.shape[1] - 1)
    columns = np.arange(image.shape[1])
    rows = [np.interp(column, columns, line) for line in image]
    return np.interp(row, np.arange(len(rows)), rows)


def test_another_right_telling_of_bilinear_passes():
    assert exercises.check("1.2", three_lines)


def indexed_column_first(image, row, column):
    """Swap the axes in the index alone; sizes are clamped the right way round."""
    height, width = image.shape
    row, column = min(max(row, 0), height - 1), min(max(column, 0), width - 1)
    top, left = int(row), int(column)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    down, across = row - top, column - left
    upper = (1 - across) * image[left, top] + across * image[right, top]
    lower = (1 - across) * image[left, bottom] + across * image[right, bottom]
    return (1 - down) * upper + down * lower


def test_swapped_indices_run_out_of_a_map_that_is_not_square():
    verdict = exercises.check("1.2", indexed_column_first)
    assert not verdict
    assert "IndexError" in verdict.message


def test_each_wrong_border_is_told_apart_and_right_inside():
    for wrong in ("position not clamped", "wraps around", "zero outside"):
        mistake = next(m for m in chapter1.IN_CODE.mistakes if m.name == wrong)
        (function,) = chapter1.IN_CODE.answers_of(mistake)
        for arguments in chapter1.IN_CODE.groups["inside"]:
            assert function(*arguments) == pytest.approx(three_lines(*arguments))
        assert exercises.check("1.2", function).mistake == wrong


def test_only_the_corner_rule_gives_the_output_of_the_third_exercise():
    signal = torch.tensor([[[0.0, 6.0, 24.0, 6.0]]])
    shown = [0, 3, 6, 15, 24, 15, 6, 6]
    resize = torch.nn.functional.interpolate
    peers = {
        "half_pixel": resize(signal, 8, mode="linear", align_corners=False),
        "align_corners": resize(signal, 8, mode="linear", align_corners=True),
        "corner_truncated": resize(signal, 8, mode="nearest"),
    }
    assert {rule for rule, out in peers.items() if out.flatten().tolist() == shown} == set()
    assert np.interp(np.arange(8) / 2, range(4), signal.flatten()).tolist() == shown


def test_a_scatter_by_autograd_passes():
    def scatter(gradient, position, size):
        values = torch.zeros(size, dtype=torch.float64, requires_grad=True)
        place = min(max(position, 0), size - 1)
        hat = torch.clamp(1 - (torch.arange(size) - place).abs(), min=0)
        (values @ hat.double() * gradient).backward()
        return values.grad.numpy()

    assert exercises.check("1.4", scatter)


def test_the_shift_is_what_a_bright_square_moves_by():
    signal = np.zeros(40)
    signal[18:22] = 1
    read = np.interp(np.arange(320) / 8, np.arange(40), signal)
    centre = (read @ (np.arange(320) + 0.5)) / read.sum()
    assert 20 * 8 - centre == pytest.approx(chapter1.SHIFT.answer)
