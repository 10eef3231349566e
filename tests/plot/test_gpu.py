"""The figure of the page on GPUs: one sector for step 1, every sector for step 2."""

import pytest
from matplotlib import pyplot as plt
from matplotlib.container import BarContainer

from roilearn import plot


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_step_1_wants_one_number_of_one_sector_and_step_2_all_of_sixteen():
    alone, together = plot.programs_warps_sectors().axes
    for axes, numbers, sectors, lines in ((alone, 1, 1, 4), (together, 128, 16, 16)):
        (bars,) = [one for one in axes.containers if isinstance(one, BarContainer)]
        assert len(bars) == numbers
        assert len(axes.patches) == numbers + sectors + 4  # and four warps
        assert len(axes.lines) == lines
        assert [text.get_text() for text in axes.texts] == [
            f"warp {warp}: 32 threads" for warp in range(4)
        ]
