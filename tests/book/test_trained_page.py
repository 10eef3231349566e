"""The page of trained models says what the recorded files say."""

from html import unescape

import pytest

from roilearn import bench
from roilearn.bench.recorded.ablation import ALIGN, POOL, ROUNDED, TABLES, UNALIGNED, gains


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


def differences(metric, later, earlier, stride):
    """Differences of a metric, a number for each seed."""
    results = [result for result in bench.read_ablation() if result.stride == stride]
    found = gains(results, metric, later, earlier)
    assert len(found) >= 2
    return found


def test_roialign_gains_ap_ap75_and_small_objects_in_every_seed(page):
    assert "the higher AP and the higher AP75 than RoIPool in every seed and at every" in page
    for stride in (4, 8, 16):
        for align in (UNALIGNED, ALIGN):
            for metric in ("AP", "AP75", "APs"):
                assert min(differences(metric, align, POOL, stride)) > 0


def test_ap50_falls_in_some_seeds_at_stride_4_and_nowhere_else(page):
    assert "At stride 4 it falls in some seeds" in page
    for align in (UNALIGNED, ALIGN):
        assert (
            min(differences("AP50", align, POOL, 4)) < 0 < max(differences("AP50", align, POOL, 4))
        )
        for stride in (8, 16):
            assert min(differences("AP50", align, POOL, stride)) > 0


def test_the_half_cell_has_no_direction_at_strides_4_and_16_and_two_seeds_at_8(page):
    assert "no consistent difference in AP at strides 4 and 16" in page
    for stride in (4, 16):
        found = differences("AP", ALIGN, UNALIGNED, stride)
        assert min(found) < 0 < max(found)
    at_8 = differences("AP", ALIGN, UNALIGNED, 8)
    assert len(at_8) == 2
    assert min(at_8) > 0


def test_aligned_targets_pasting_and_anchors_gain_where_the_operator_is_the_same(page):
    assert "higher AP, AP75 and APs in every seed than one with torchvision" in page
    for metric in ("AP", "AP75", "APs"):
        assert min(differences(metric, UNALIGNED, ROUNDED, 4)) > 0
