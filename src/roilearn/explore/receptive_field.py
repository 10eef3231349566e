"""Live figure: the pixels that one cell sees, and how much gradient reaches them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from roilearn import plot, reference
from roilearn.explore import checks
from roilearn.explore.explorable import Checked, Explorable
from roilearn.explore.scene import HEIGHT, WIDTH, scene_address, scene_pixels
from roilearn.palette import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PROFILES = json.loads(Path(__file__).with_name("receptive_fields.json").read_text("utf-8"))
"""Measured gradients of the trained SHAPES body, by map: see ``gradient_shares``."""
NETWORKS = {
    "tiny": {"stem": 3, "depths": [2, 2, 2], "kernels": [3, 3]},
    "resnet50": {"stem": 7, "depths": [3, 4, 6, 3], "kernels": [1, 3, 1]},
}
NAMES = {"tiny": "SHAPES", "resnet50": "ResNet-50"}
MARGINS = {"tiny": 44, "resnet50": 152}
"""Image pixels that are shown around the scene."""
MOST = 0.9


class ReceptiveField(Explorable):
    """Choose a cell: its square of pixels, all pixels that it sees, and where its gradient is.

    The gradient is measured: it is that of the trained SHAPES network, averaged over many cells
    and channels, and shown around the chosen cell. Of ResNet-50 only the field is shown.

    Parameters
    ----------
    network : ``"tiny"``, the body of the SHAPES model, whose maps are C2 to C4; or
        ``"resnet50"``, C2 to C5.
    level : 2 to 5, the map. The last of a network stands for those that it does not have.
    cell : (row, column) on that map; a cell outside the map stands for the nearest one on it.
    """

    modules = ("receptive_field.mjs",)
    stylesheets = ("receptive_field.css",)
    constants = {  # noqa: RUF012 - declared as a class variable by the base class
        "SCENE": {"address": scene_address(), "height": HEIGHT, "width": WIDTH},
        "NETWORKS": NETWORKS,
        "NAMES": NAMES,
        "MARGINS": MARGINS,
        "MOST": MOST,
        "PROFILES": PROFILES,
    }

    network = Checked("tiny", checks.one_of(*NETWORKS))
    level = Checked(3, checks.whole(2, 5))
    cell = Checked([8, 4], checks.several(checks.whole(0, 39), 2))

    def numbers(self) -> dict[str, Any]:
        """Every number that the figure shows, computed by ``roilearn.reference``."""
        maps = reference.resnet_layers(*NETWORKS[self.network].values())
        fields = [reference.receptive_field(layers) for layers in maps]
        level = min(self.level, len(fields) + 1)
        field = fields[level - 2]
        row, column = self.cell_on_map(field.stride)
        left, right = field.pixels(column)
        top, bottom = field.pixels(row)
        seen = [max(left, 0), max(top, 0), min(right, WIDTH), min(bottom, HEIGHT)]
        area = (seen[2] - seen[0]) * (seen[3] - seen[1])
        square = [number * field.stride for number in (column, row, column + 1, row + 1)]
        return {
            "network": self.network,
            "level": level,
            "stride": field.stride,
            "size": field.size,
            "cell": [row, column],
            "square": square,
            "field": [left, top, right, bottom],
            "shift": (square[0] + square[2]) / 2 - field.centre(column),
            "on_scene": 100 * area / field.size**2,
            "of_scene": 100 * area / (WIDTH * HEIGHT),
            "gradient": self.gradient(level, square),
            "levels": [
                {"stride": one.stride, "size": one.size, "most": self.side_with_most(number)}
                for number, one in enumerate(fields, 2)
            ],
        }

    def cell_on_map(self, stride: int) -> list[int]:
        """Row and column of the cell, or of the nearest one on the map."""
        rows, columns = HEIGHT // stride, WIDTH // stride
        return [min(self.cell[0], rows - 1), min(self.cell[1], columns - 1)]

    def gradient(self, level: int, square: list[int]) -> dict[str, float | None]:
        """Percentages of the gradient: on the cell's own square, and on the scene."""
        if self.network != "tiny":
            return {"own": None, "on_scene": None}
        profile = PROFILES[f"C{level}"]
        shares = gradient_shares(profile)
        own = share_within(shares, profile, 0)
        return {"own": 100 * own, "on_scene": 100 * float(on_scene(shares, profile, square).sum())}

    def side_with_most(self, level: int) -> int | None:
        """Side, in pixels, of the smallest square around a cell with 90 % of the gradient."""
        if self.network != "tiny":
            return None
        profile = PROFILES[f"C{level}"]
        shares = gradient_shares(profile)
        rings = 0
        while share_within(shares, profile, rings) < MOST:
            rings += 1
        return profile["square"] * (4 + 2 * rings)

    @property
    def alt(self) -> str:
        """What is to be seen in the figure's present state."""
        numbers = self.numbers()
        row, column = numbers["cell"]
        left, top, right, bottom = numbers["field"]
        where = (
            f"The example scene with a cell of map C{numbers['level']} of {NAMES[self.network]}, "
            f"row {row}, column {column}: a small outlined square of {numbers['stride']} pixels. "
            f"A dashed square around it, the pixels that the cell sees, has sides of "
            f"{numbers['size']} pixels, from x {left} to {right} and y {top} to {bottom}; "
            f"{numbers['on_scene']:.0f} % of it lies on the scene."
        )
        most = numbers["levels"][numbers["level"] - 2]["most"]
        if most is None:
            return where
        return (
            f"{where} A coloured patch shows the gradient: strongest at the cell and faint towards "
            f"the dashed lines. A dotted square of {most} pixels holds 90 % of it."
        )

    def draw(self) -> Figure:
        """Draw the present state with matplotlib, in the live figure's visual language."""
        numbers = self.numbers()
        figure, axes = plot.new_figure(width=7.0, height=5.6)
        margin = MARGINS[self.network]
        scene = scene_pixels() / 255
        if self.network == "tiny":
            grey = scene.mean(axis=2, keepdims=True)
            scene = 0.15 * scene + 0.85 * grey  # colours are left to the gradient
        axes.imshow(scene, extent=(0, WIDTH, HEIGHT, 0), alpha=0.5)
        if self.network == "tiny":
            draw_gradient(axes, numbers)
        plot.draw_box(axes, numbers["field"], dashed=True)
        plot.draw_box(axes, numbers["square"])
        axes.set(xlim=(-margin, WIDTH + margin), ylim=(HEIGHT + margin, -margin))
        axes.set(xlabel="x (image pixels)", ylabel="y (image pixels)", facecolor="0.94")
        axes.set_title(
            f"{NAMES[self.network]}, C{numbers['level']}: a cell of {numbers['stride']} px sees "
            f"{numbers['size']} px",
            loc="left",
        )
        for outline in axes.patches:
            outline.set_clip_on(True)
        return figure


def gradient_shares(profile: dict[str, Any]) -> np.ndarray:
    """Share of the gradient in each small square of a field, rows by columns; the sum is 1.

    Parameters
    ----------
    profile : ``square`` is the side of a small square in pixels, a quarter of the stride;
        ``first``, where the first one begins, in pixels from the cell's own left or upper edge;
        ``roots``, the square root of each amount in 255ths of the largest, in base64.
    """
    roots = np.frombuffer(base64.b64decode(profile["roots"]), np.uint8).astype(np.float64)
    amounts = (roots / 255) ** 2
    return (amounts / amounts.sum()).reshape(profile["side"], profile["side"])


def share_within(shares: np.ndarray, profile: dict[str, Any], rings: int) -> float:
    """Share of the gradient in the cell's own square and so many rings of small squares."""
    start = -profile["first"] // profile["square"]
    part = slice(max(start - rings, 0), start + 4 + rings)
    return float(shares[part, part].sum())


def on_scene(shares: np.ndarray, profile: dict[str, Any], square: list[int]) -> np.ndarray:
    """Shares that fall on the scene, for the cell whose own square is given."""
    places = profile["first"] + profile["square"] * np.arange(profile["side"])
    rows = (places + square[1] >= 0) & (places + square[1] < HEIGHT)
    columns = (places + square[0] >= 0) & (places + square[0] < WIDTH)
    return shares[rows][:, columns]


def draw_gradient(axes: Axes, numbers: dict[str, Any]) -> None:
    """Draw the gradient's small squares over the scene, and the square that holds most of it."""
    profile = PROFILES[f"C{numbers['level']}"]
    shares = gradient_shares(profile)
    x1, y1 = (side + profile["first"] for side in numbers["square"][:2])
    length = profile["square"] * profile["side"]
    rgb = [int(COLOURS["gradient"][n : n + 2], 16) / 255 for n in (1, 3, 5)]
    colours = np.zeros((*shares.shape, 4))
    colours[..., :3] = rgb
    colours[..., 3] = np.sqrt(shares / shares.max()) * 0.75
    extent = (x1, x1 + length, y1 + length, y1)
    picture = axes.imshow(colours, extent=extent, interpolation="nearest")
    picture.set_clip_path(axes.fill([0, WIDTH, WIDTH, 0], [0, 0, HEIGHT, HEIGHT], alpha=0)[0])
    out = (numbers["levels"][numbers["level"] - 2]["most"] - numbers["stride"]) / 2
    left, top, right, bottom = numbers["square"]
    plot.draw_box(axes, [left - out, top - out, right + out, bottom + out], kind="gradient")
    axes.patches[-1].set_linestyle(":")
