"""The still picture of ``AveragePrecision``: the ranked detections, and precision over recall."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from roilearn.reference import RECALLS_11, precision_at

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_ranking(axes: Axes, numbers: dict[str, Any]) -> None:
    """Draw the score of each detection as a bar: filled where it is right, hollow where wrong."""
    rows = numbers["rows"]
    for y, row in enumerate(rows):
        fill = "0.35" if row["verdict"] == "right" else "white"
        axes.barh(y, row["score"], height=0.6, color=fill, edgecolor="0.2", linewidth=1.2)
        words = f"{row['score']:.2f}  IoU {row['iou']:.3f}  {row['verdict']}"
        axes.text(row["score"] + 0.03, y, words, va="center")
    axes.set_yticks(range(len(rows)), [f"{row['name']}, image {row['image']}" for row in rows])
    axes.set(xlim=(0, 1.75), ylim=(len(rows) - 0.4, -0.6), xticks=[0, 0.5, 1], xlabel="score")
    axes.set_title(f"{numbers['class']}: {numbers['objects']} objects")


def draw_curve(axes: Axes, numbers: dict[str, Any]) -> None:
    """Draw precision over recall, its interpolation, the 11 recalls and the summaries."""
    rows = numbers["rows"]
    recall, precision, best = (
        [row[k] for row in rows] for k in ("recall", "precision", "interpolated")
    )
    axes.plot([0, *recall], [precision[0], *precision], color="0.55", linewidth=1.2)
    ends, heights = [0, *recall, recall[-1]], [best[0], *best, 0]
    axes.step(ends, heights, where="pre", color="black", linewidth=2.4)
    axes.plot(
        RECALLS_11, precision_at(RECALLS_11, precision, recall), "s", color="black", mfc="none"
    )
    for row in rows:
        fill = "0.35" if row["verdict"] == "right" else "white"
        axes.plot(row["recall"], row["precision"], "o", color="0.2", mfc=fill, markersize=7)
        at = (row["recall"], row["precision"])
        axes.annotate(row["name"], at, (6, -9), textcoords="offset points", fontsize=9)
    means = [numbers["summaries"][way][numbers["class"]] for way in ("coco", "voc", "area")]
    axes.set_title("AP: 101 points {:.4f}, 11 points {:.4f}, area {:.4f}".format(*means))
    axes.set(xlim=(-0.02, 1.05), ylim=(0, 1.08), xlabel="recall", ylabel="precision")
