"""The page of trained models says what the recorded files say."""

from html import unescape

import pytest

from roilearn import bench
from roilearn.bench.recorded.ablation import TABLES


@pytest.fixture(scope="module")
def page(site):
    return unescape((site / "book/trained_models.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize("comparison", TABLES)
def test_each_row_has_its_means_and_spreads(page, comparison):
    results = bench.of_table(comparison, bench.read_trained())
    assert results
    for (_, row), found in bench.by_row(results).items():
        cells = []
        for measure in bench.MEASURES:
            mean, spread = bench.mean_and_spread(100 * getattr(each, measure) for each in found)
            told = f" ± {spread:.1f}" if len(found) > 1 else ""
            cells.append(f"<td>{mean:.1f}{told}</td>")
        assert f"{''.join(cells)}<td>{len(found)}</td>" in page, row


def test_every_ceiling_and_the_evaluation_are_on_the_page(page, root):
    for row in bench.read_ceilings():
        assert f"<td>{row.mask_iou:.3f}</td>" in page
    for file_name in ("command", "evaluation", "evaluation_other_scenes"):
        file = root / "src/roilearn/models/trained" / f"{file_name}.txt"
        assert file.read_text(encoding="utf-8").splitlines()[0] in page


def test_versions_and_the_length_of_the_training_are_named(page):
    for row in bench.read_trained():
        assert f"{row.steps:,} steps; {row.scenes} held-out scenes; {row.versions}" in page
