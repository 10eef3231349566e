"""The page of trained models says what the recorded files say."""

from html import unescape

import pytest

from roilearn import bench
from roilearn.bench.recorded.ablation import TABLES


@pytest.fixture(scope="module")
def page(site):
    return unescape((site / "book/trained_models.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize("comparison", TABLES)
def test_each_variant_has_its_means_and_standard_deviations(page, comparison):
    results = bench.select_table(comparison, bench.read_ablation())
    assert results
    for (_, variant), found in bench.group_by_variant(results).items():
        cells = []
        for metric in bench.METRICS:
            mean, std = bench.mean_and_std(100 * getattr(each, metric) for each in found)
            deviation = f" ± {std:.1f}" if len(found) > 1 else ""
            cells.append(f"<td>{mean:.1f}{deviation}</td>")
        assert f"{''.join(cells)}<td>{len(found)}</td>" in page, variant


def test_every_oracle_iou_and_the_evaluation_are_on_the_page(page, root):
    for row in bench.read_oracle_masks():
        assert f"<td>{row.mask_iou:.3f}</td>" in page
    for file_name in ("command", "evaluation", "evaluation_other_scenes"):
        file = root / "src/roilearn/models/trained" / f"{file_name}.txt"
        assert file.read_text(encoding="utf-8").splitlines()[0] in page


def test_versions_and_the_length_of_the_training_are_named(page):
    for row in bench.read_ablation():
        assert f"{row.steps:,} steps; {row.images} validation images; {row.versions}" in page
