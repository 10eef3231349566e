"""The ``ablation`` directive: mask AP of trained models, from the recorded results.

It is made at build time, so a page cannot say what the recorded files do not.
"""

from __future__ import annotations

from html import escape
from itertools import combinations, product
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from roilearn import bench
from roilearn_book.benchmark import MISSING, drawn_figure, paragraph, table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.figure import Figure
    from sphinx.application import Sphinx

PAIRS = {
    ("torchvision", "torchvision"): "both torchvision's",
    ("torchvision", "aligned"): "pasting aligned",
    ("aligned", "torchvision"): "targets aligned",
    ("aligned", "aligned"): "both aligned",
}
"""Coordinates of the targets and of the pasting, and what the table calls them."""


def hundredths(values: Sequence[float]) -> str:
    """Write the mean and the standard deviation over the seeds, in hundredths."""
    average, deviation = bench.mean_and_std(100 * value for value in values)
    return f"{average:.1f} ± {deviation:.1f}" if len(values) > 1 else f"{average:.1f}"


def of_table(name: str) -> str:
    """Tabulate one comparison."""
    results = bench.select_table(name, bench.read_ablation())
    if not results:
        return paragraph(MISSING)
    head = ["Variant", "Stride", *bench.METRICS, "Seeds"]
    lines = [
        [
            variant,
            stride,
            *(hundredths([getattr(each, m) for each in found]) for m in bench.METRICS),
            len(found),
        ]
        for (stride, variant), found in bench.group_by_variant(results).items()
    ]
    return table(head, lines)


def differences(name: str) -> str:
    """List the differences of each variant from those before it, seed by seed."""
    results = bench.select_table(name, bench.read_ablation())
    if not results:
        return paragraph(MISSING)
    variants, strides = bench.TABLES[name]
    items = []
    for stride, (earlier, later) in product(strides, combinations(variants, 2)):
        here = [result for result in results if result.stride == stride]
        gains = {m: bench.gains(here, m, later, earlier) for m in bench.METRICS}
        if gains["AP"]:
            listed = "; ".join(f"{metric} {signs(values)}" for metric, values in gains.items())
            head = f"<strong>{escape(later)}, over {escape(earlier)}, stride {stride}.</strong>"
            items.append(f"<li>{head} {listed}. {bench.consistent_gains(gains)}</li>")
    return f"{paragraph('Differences, a number for each seed:')}<ul>{''.join(items)}</ul>"


def signs(values: Sequence[float]) -> str:
    """Write differences in hundredths, each with its sign."""
    return ", ".join(f"{100 * value:+.1f}".replace("-", "\u2212") for value in values)


def oracle_masks(_: str) -> str:
    """Tabulate the mask IoU of an oracle mask head."""
    rows = bench.read_oracle_masks()
    if not rows:
        return paragraph(MISSING)
    head = ["Boxes", "Sides", *PAIRS.values()]
    found = {(r.boxes, r.min_side, r.max_side, r.target, r.paste): r.mask_iou for r in rows}
    groups = dict.fromkeys((r.boxes, r.min_side, r.max_side) for r in rows)
    lines = [
        [boxes, f"{low} to {high} px"] + [f"{found[boxes, low, high, *pair]:.3f}" for pair in PAIRS]
        for boxes, low, high in groups
    ]
    return table(head, lines)


def setting(_: str) -> str:
    """State the optimizer steps, validation images, versions and machines of the ablations."""
    results = bench.read_ablation()
    if not results:
        return paragraph(MISSING)
    kinds = dict.fromkeys((r.steps, r.images, r.versions, r.machine) for r in results)
    return "".join(
        paragraph(f"{steps:,} steps; {images} validation images; {versions}; {machine}.")
        for steps, images, versions, machine in kinds
    )


TEXTS: dict[str, Callable[[str], str]] = {
    "table": of_table,
    "differences": differences,
    "oracle_masks": oracle_masks,
    "setting": setting,
}


class Ablation(SphinxDirective):
    """``{ablation} part name``: a table or a text; or the picture, the content its caption."""

    required_arguments = 1
    optional_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the part; the page is read again when a recorded file changes."""
        for path in bench.FOLDER.glob("*.csv"):
            self.env.note_dependency(str(path))
        part, name, *_ = [*self.arguments, ""]
        if part in TEXTS:
            return [nodes.raw(text=TEXTS[part](name), format="html")]
        results = bench.select_table("strides", bench.read_ablation())
        if not results:
            return [nodes.paragraph(text=MISSING)]
        return [drawn_figure(self, "trained_at_strides", *picture(results))]


def picture(results: Sequence[bench.AblationResult]) -> tuple[Figure, str]:
    """Draw AP50 and AP75 at each stride."""
    from roilearn import plot  # noqa: PLC0415 - only when a page has a picture

    means = "; ".join(
        f"{variant} at stride {stride}, AP50 {hundredths([r.AP50 for r in found])} and "
        f"AP75 {hundredths([r.AP75 for r in found])}"
        for (stride, variant), found in bench.group_by_variant(results).items()
    )
    alt = f"Two panels, a dot for each seed and lines through the means: {means}."
    return plot.ap_by_stride(results, ("AP50", "AP75")), alt


def setup(app: Sphinx) -> None:
    """Add the directive."""
    app.add_directive("ablation", Ablation)
