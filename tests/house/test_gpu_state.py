"""The README files say whether anything was measured on a GPU, as the recorded files do."""

from roilearn import bench

WRITTEN = ("README.md", "benchmarks/README.md")


def test_readers_are_told_that_no_gpu_has_been_used_exactly_until_one_has(texts):
    for name in WRITTEN:
        assert ("not yet run on a GPU" in texts[name]) == (not bench.read_gpu()), name


def test_pages_leave_that_sentence_to_the_record(texts):
    pages = [name for name in texts if name.startswith("book/") and name.endswith(".md")]
    assert pages
    assert [name for name in pages if "run on a GPU" in texts[name]] == []
    assert "```{benchmark} on_a_gpu" in texts["book/benchmarks.md"]
