"""Invalid arguments of pooling operators: both implementations raise the same error."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from roilearn import ops, reference

FEATURES = np.random.RandomState(0).randn(2, 4, 6, 8)
BOX = np.array([[0, 1.0, 1.0, 4.0, 5.0]])
OPERATORS = ["roi_align", "roi_pool"]
"""Called with input, boxes, output_size, spatial_scale. 4 channels: one for each of 2 x 2 bins."""
NAN, INFINITE = float("nan"), float("inf")


def in_numpy(operator, features, boxes, *options):
    return getattr(reference, operator)(features, boxes, *options)


def in_torch(operator, features, boxes, *options):
    as_tensor = lambda value: torch.tensor(value) if isinstance(value, np.ndarray) else value  # noqa: E731
    boxes = [as_tensor(each) for each in boxes] if isinstance(boxes, list) else as_tensor(boxes)
    return getattr(ops, operator)(as_tensor(features), boxes, *options).numpy()


@pytest.fixture(params=[in_numpy, in_torch])
def call(request):
    return request.param


def changed(column, value):
    box = BOX.copy()
    box[0, column] = value
    return box


VALUES = {
    "four columns": (BOX[:, 1:], r"5 columns .* got shape \(1, 4\)\. For .* pass \[boxes\]"),
    "one dimension": (BOX[0], r"5 columns .* got shape \(5,\)"),
    "six columns": (np.ones((2, 6)), r"5 columns .* got shape \(2, 6\)"),
    "NaN": (changed(1, NAN), r"boxes must be finite; got \[0, nan, 1, 4, 5\] in row 0"),
    "infinite": (changed(4, INFINITE), r"boxes must be finite; got .*inf"),
    "image -1": (changed(0, -1), r"whole number from 0 to 1; got batch index -1 in row 0"),
    "image 2 of 2": (changed(0, 2), r"whole number from 0 to 1; got batch index 2 in row 0"),
    "image 1e6": (changed(0, 1e6), r"whole number from 0 to 1; got batch index 1e\+06"),
    "image 0.5": (changed(0, 0.5), r"whole number from 0 to 1; got batch index 0\.5"),
    "a list too long": ([BOX[:, 1:]] * 3, r"list of 3 for a batch of 2"),
    "a list too short": ([BOX[:, 1:]], r"list of 1 for a batch of 2"),
    "a list of five columns": ([BOX, BOX], r"boxes\[0\] must have shape \(K, 4\).* \(1, 5\)"),
}


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("name", VALUES)
def test_bad_boxes(call, operator, name):
    boxes, message = VALUES[name]
    with pytest.raises(ValueError, match=message):
        call(operator, FEATURES, boxes, 2)


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize(
    ("features", "message"),
    [
        (FEATURES[0], r"input must have 4 dimensions .* got shape \(4, 6, 8\)\. .* input\[None\]"),
        (FEATURES[:, :, :0], r"input must have .* which has no rows"),
        (FEATURES[..., :0], r"input must have .* which has no columns"),
    ],
)
def test_bad_features(call, operator, features, message):
    with pytest.raises(ValueError, match=message):
        call(operator, features, BOX, 2)


@pytest.mark.parametrize("operator", OPERATORS)
def test_features_that_are_no_numbers_between(call, operator):
    with pytest.raises(TypeError, match=r"input must be floating point; got .*int64"):
        call(operator, FEATURES.astype(np.int64), BOX, 2)


def test_things_that_are_no_arrays():
    for operator in OPERATORS:
        with pytest.raises(TypeError, match=r"input must be .*list"):
            getattr(ops, operator)([[1.0]], torch.tensor(BOX), 2)
        with pytest.raises(TypeError, match=r"boxes must be .*str"):
            in_torch(operator, FEATURES, "boxes", 2)


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ((0,), ValueError, "output_size must be at least 1"),
        (((2, -1),), ValueError, "output_size must be at least 1"),
        (((2, 3, 4),), ValueError, "output_size must be a whole number or a pair"),
        ((2.5,), TypeError, r"output_size must be a whole number; got 2\.5"),
        ((True,), TypeError, "output_size must be a whole number; got True"),
        ((2, -0.5), ValueError, r"spatial_scale must be finite and positive; got -0\.5"),
        ((2, 0), ValueError, "spatial_scale must be finite and positive; got 0"),
        ((2, NAN), ValueError, "spatial_scale must be finite and positive; got nan"),
        ((2, "1/16"), TypeError, "spatial_scale must be a number; got '1/16'"),
        ((2, "1"), TypeError, "spatial_scale must be a number; got '1'"),
        ((2, 1e300), ValueError, r"spatial_scale must be finite and at most 1e\+09; got 1e\+300"),
        ((10**20,), ValueError, r"output_size must be below 2\*\*31 along both axes"),
    ],
)
def test_bad_options(call, operator, options, kind, message):
    with pytest.raises(kind, match=message):
        call(operator, FEATURES, BOX, *options)


STORAGE = {
    "sparse_coo": (torch.Tensor.to_sparse, r"input\.to_dense\(\)"),
    "mkldnn": (torch.Tensor.to_mkldnn, r"input\.to_dense\(\)"),
    "quantized": (
        lambda each: torch.quantize_per_tensor(each, 0.1, 0, torch.quint8),
        r"input\.dequantize\(\)",
    ),
    "nested": (lambda each: torch.nested.nested_tensor(list(each)), r"input\.to_padded_tensor"),
}


@pytest.mark.filterwarnings("ignore:.*(prototype|quantized|quantize):UserWarning")
@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("storage", STORAGE)
def test_tensors_that_are_not_dense(operator, storage):
    convert, advice = STORAGE[storage]
    features, boxes = torch.tensor(FEATURES, dtype=torch.float32), torch.tensor(BOX).float()
    pool = getattr(ops, operator)
    with pytest.raises(TypeError, match=rf"input must be a dense .* got a {storage} .*{advice}"):
        pool(convert(features), boxes, 2)
    with pytest.raises(TypeError, match=rf"boxes must be a dense tensor; got a {storage} one"):
        pool(features, convert(boxes), 2)


def test_arrays_where_tensors_are_wanted():
    features, boxes = torch.tensor(FEATURES), torch.tensor(BOX)
    for operator in OPERATORS:
        with pytest.raises(TypeError, match=r"input must be a torch tensor; got ndarray"):
            getattr(ops, operator)(FEATURES, boxes, 2)
        with pytest.raises(TypeError, match=r"boxes must be a torch tensor; got ndarray"):
            getattr(ops, operator)(features, BOX, 2)
    with pytest.raises(TypeError, match="image must be a torch tensor"):
        ops.bilinear(FEATURES[0, 0], 1.0, 1.0)
    with pytest.raises(TypeError, match="boxes1 must be a torch tensor"):
        ops.box_iou(BOX[:, 1:], boxes[:, 1:])


def test_a_flag_that_is_a_word(call):
    with pytest.raises(TypeError, match="aligned must be True or False; got 'no'"):
        call("roi_align", FEATURES, BOX, 2, 1.0, 2, "no")


def test_bytes_are_not_read_as_positions_and_do_not_wrap():
    image = np.array([[255, 0], [0, 255]], np.uint8)
    assert reference.linear_gradient(image[0], 0.5) == -255
    assert [float(g) for g in reference.bilinear_gradient(image, 0.5, 0.25)] == [-127.5, 0.0]
    with pytest.raises(TypeError, match=r"image must be floating point; got torch\.uint8"):
        ops.bilinear(torch.tensor(image), 0.5, 0.5)
    with pytest.raises(TypeError, match="image must be floating point"):
        ops.resize(torch.tensor(image), 4)
    with pytest.raises(TypeError, match="values must be floating point"):
        ops.resize_linear(torch.arange(3), 5)


def test_positions_are_not_rounded_to_half_precision():
    assert ops.linear(torch.arange(300.0).bfloat16(), 258.5).item() == 259
    long = torch.ones(3000).half()
    assert ops.resize_linear(long, 3000).shape == (3000,)
    assert ops.resize(torch.ones(600, 600).bfloat16(), 600).shape == (600, 600)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float16])
def test_areas_that_do_not_fit_the_dtype_of_the_boxes(dtype):
    side = 200 if dtype == np.uint8 else 300
    boxes = np.array([[0, 0, side, side], [0, 0, side, side // 2]], dtype)
    for module, given in ((reference, boxes), (ops, torch.tensor(boxes))):
        np.testing.assert_allclose(module.box_area(given), [side**2, side**2 / 2])
        np.testing.assert_allclose(module.box_iou(given, given), [[1, 0.5], [0.5, 1]])


def test_a_gradient_of_another_shape():
    for backward in (
        reference.roi_align_backward,
        reference.roi_align_box_gradient,
        reference.roi_pool_backward,
    ):
        for shape in ((5, 4, 2, 2), (1, 2, 2, 2)):
            with pytest.raises(ValueError, match=r"gradient must have shape \(1, 4, height, width"):
                backward(np.ones(shape), FEATURES, BOX)


def test_boxes_finer_than_the_features_keep_their_precision(call):
    far = np.array([[0, 0, 0, 70000.0, 70000.0]])
    pooled = call("roi_align", np.ones((1, 1, 8, 8), np.float16), far, 2, 1e-4)
    np.testing.assert_allclose(pooled, 1)


def test_bad_sampling_ratio_and_mode(call):
    with pytest.raises(TypeError, match=r"sampling_ratio must be a whole number; got 1\.5"):
        call("roi_align", FEATURES, BOX, 2, 1.0, 1.5)
    with pytest.raises(ValueError, match="mode must be one of 'max', 'average'; got 'mean'"):
        call("roi_pool", FEATURES, BOX, 2, 1.0, "mean")


def test_options_are_checked_even_when_there_is_no_box(call):
    with pytest.raises(TypeError, match="sampling_ratio"):
        call("roi_align", FEATURES, BOX[:0], 2, 1.0, "2")
    with pytest.raises(ValueError, match="spatial_scale"):
        call("roi_pool", FEATURES, BOX[:0], 2, -1)


@pytest.mark.parametrize("operator", OPERATORS)
def test_whole_number_boxes(operator):
    boxes = torch.tensor(BOX).long()
    with pytest.raises(TypeError, match=r"boxes must be floating point; got torch\.int64.*float"):
        getattr(ops, operator)(torch.tensor(FEATURES), boxes, 2)
    assert getattr(reference, operator)(FEATURES, BOX.astype(int), 2).shape[2:] == (2, 2)


def test_float16_boxes_are_served(call):
    exact = call("roi_align", FEATURES, BOX, 2)
    np.testing.assert_allclose(call("roi_align", FEATURES, BOX.astype(np.float16), 2), exact)


def test_features_that_are_not_contiguous_are_served(call):
    plain = call("roi_align", np.ascontiguousarray(FEATURES[:, ::2, ::-1]), BOX, 2)
    if call is in_numpy:
        np.testing.assert_array_equal(call("roi_align", FEATURES[:, ::2, ::-1], BOX, 2), plain)
    else:
        strided = torch.tensor(FEATURES[:, :, ::-1].copy())[:, ::2]
        np.testing.assert_allclose(ops.roi_align(strided, torch.tensor(BOX), 2).numpy(), plain)


@pytest.mark.parametrize("aligned", [False, True])
def test_a_box_too_wide_to_sample(call, aligned):
    with pytest.raises(ValueError, match=r"1e\+09.*sampling_ratio"):
        call("roi_align", FEATURES, changed(3, 1e9), 2, 1.0, -1, aligned)


def test_a_box_as_wide_is_served_with_a_fixed_ratio_and_by_roi_pool(call):
    assert np.isfinite(call("roi_align", FEATURES, changed(3, 1e9), 2, 1.0, 2)).all()
    assert np.isfinite(call("roi_pool", FEATURES, changed(3, 1e9), 2)).all()


MEASURE = """
import resource, torch
from roilearn import ops
features = torch.zeros(1, 4, 64, 64)
rois = torch.tensor([[0.0, 0, 0, 64, 64]])
ops.roi_align(features, rois, 7)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
{work}
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
WORK = {
    "one box of 10,000 cells": "ops.roi_align(features, rois * 10_000 / 64, 7)",
    "3,000 boxes of 400 cells": "ops.roi_align(features, (rois * 400 / 64).repeat(3000, 1), 7)",
    "20,000 boxes": "ops.roi_align(features, rois.repeat(20_000, 1), 7, 1.0, 2)",
    "a box of 100,000 cells among 300 while gradients are recorded": (
        "ops.roi_align(features.requires_grad_(), torch.cat([rois * 1500, *[rois] * 300]), 7)"
    ),
}


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts in other units elsewhere")
@pytest.mark.parametrize("work", WORK)
def test_memory_stays_within_what_the_docstring_states(work):
    """400 MB beside the features, their table and the output, however many boxes and how large."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE.format(work=WORK[work])],
        check=True,
        capture_output=True,
        text=True,
    )
    assert int(done.stdout) < 400_000


@pytest.mark.parametrize("implementation", [reference, ops])
def test_bad_arguments_of_prroi_pool(implementation):
    array = np.array if implementation is reference else torch.tensor
    features, box = array(FEATURES), array([[0, 1.0, 1, 4, 4]])
    with pytest.raises(TypeError, match="aligned must be True or False; got 'no'"):
        implementation.prroi_pool(features, box, 2, 1.0, "no")
    with pytest.raises(ValueError, match="5 columns"):
        implementation.prroi_pool(features, box[:, 1:], 2)
    with pytest.raises(ValueError, match="output_size must be at least 1"):
        implementation.prroi_pool(features, box, 0)
    with pytest.raises(ValueError, match="spatial_scale must be finite and positive"):
        implementation.prroi_pool(features, box, 2, 0)
    with pytest.raises(ValueError, match="got batch index 2 in row 0"):
        implementation.prroi_pool(features, array([[2, 1.0, 1, 4, 4]]), 2)


@pytest.mark.parametrize("index", [-1, 0, 1])
def test_of_a_batch_without_images_every_index_is_bad(call, index):
    with pytest.raises(ValueError, match=f"got batch index {index} in row 0"):
        call("roi_pool", FEATURES[:0], changed(0, index), 2)


@pytest.mark.parametrize("implementation", [reference, ops])
def test_bad_arguments_of_roi_align_rotated(implementation):
    array = np.array if implementation is reference else torch.tensor
    features, box = array(FEATURES), array([[0, 4.0, 4, 3, 2, 30]])
    columns = r"6 columns \(batch index, centre x, centre y, width, height, angle\)"
    with pytest.raises(ValueError, match=columns):
        implementation.roi_align_rotated(features, box[:, :5], 2)
    with pytest.raises(ValueError, match=r"boxes\[0\] must have shape \(K, 5\), columns centre x"):
        implementation.roi_align_rotated(features, [box, box], 2)
    with pytest.raises(ValueError, match=r"list with one \(K, 5\) array for each image"):
        implementation.roi_align_rotated(features, [box[:, 1:]], 2)
    with pytest.raises(ValueError, match=r"at least 0; got \[0, 4, 4, -3, 2, 30\] in row 0"):
        implementation.roi_align_rotated(features, array([[0, 4.0, 4, -3, 2, 30]]), 2)
    with pytest.raises(ValueError, match=r"got batch index 2 .* height, angle"):
        implementation.roi_align_rotated(features, array([[2, 4.0, 4, 3, 2, 30]]), 2)
    with pytest.raises(ValueError, match="boxes must be finite"):
        implementation.roi_align_rotated(features, array([[0, 4.0, 4, 3, 2, np.inf]]), 2)
    with pytest.raises(TypeError, match="sampling_ratio must be a whole number"):
        implementation.roi_align_rotated(features, box, 2, 1.0, 1.5)
    with pytest.raises(ValueError, match="more than 4194304"):
        implementation.roi_align_rotated(features, array([[0, 4.0, 4, 1e4, 1e4, 30]]), 2)


def test_a_ratio_that_makes_too_many_samples_is_named():
    with pytest.raises(ValueError, match="sampling_ratio must give a box at most 4194304 samples"):
        ops.roi_align_rotated(
            torch.tensor(FEATURES), torch.tensor([[0.0, 4, 4, 3, 2, 0]]), 2, 1.0, 9999
        )


@pytest.mark.parametrize("implementation", [reference, ops])
def test_bad_arguments_of_crop_and_resize(implementation):
    array = np.array if implementation is reference else torch.tensor
    features, box = array(FEATURES), array([[0, 1.0, 1, 4, 4]])
    with pytest.raises(ValueError, match="method must be one of 'bilinear', 'nearest'"):
        implementation.crop_and_resize(features, box, 2, 1.0, "bicubic")
    with pytest.raises(TypeError, match="extrapolation_value must be a number; got 'zero'"):
        implementation.crop_and_resize(features, box, 2, 1.0, "nearest", "zero")
    with pytest.raises(TypeError, match="aligned must be True or False; got 'no'"):
        implementation.crop_and_resize(features, box, 2, aligned="no")
    with pytest.raises(ValueError, match="crop_size must be at least 1"):
        implementation.crop_and_resize(features, box, 0)
    with pytest.raises(ValueError, match="5 columns"):
        implementation.crop_and_resize(features, box[:, 1:], 2)


def test_words_where_formats_and_flags_are_wanted():
    features, boxes = torch.tensor(FEATURES), torch.tensor(BOX)
    for operator in OPERATORS:
        with pytest.raises(TypeError, match="validate must be True or False; got 'yes'"):
            getattr(ops, operator)(features, boxes, 2, validate="yes")
    for pool, given, scale in (
        (ops.roi_align, features, 1.0),
        (ops.multi_scale_roi_align, [features], [1.0]),
    ):
        with pytest.raises(ValueError, match=r"memory_format must be one of torch\.contiguous"):
            pool(given, boxes, 2, scale, memory_format="channels_last")


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.complex64, torch.uint16])
def test_dtypes_that_are_not_computed_with(dtype):
    features, boxes = torch.tensor(FEATURES).float(), torch.tensor(BOX)
    with pytest.raises(TypeError, match=r"boxes must be floating point; got torch\."):
        ops.roi_align(features, boxes.to(dtype), 2)
    with pytest.raises(TypeError, match=r"input must be floating point; got torch\."):
        ops.roi_align(features.to(dtype), boxes, 2)
    with pytest.raises(TypeError, match=r"boxes must hold real numbers .* got torch\."):
        ops.box_area(boxes[:, 1:].to(dtype))


F, B, META = torch.tensor(FEATURES), torch.tensor(BOX), torch.tensor(BOX, device="meta")
FOUR, META_FOUR = B[:, 1:], META[:, 1:]
MASK = torch.ones(1, 1, 4, 4).double()


@pytest.mark.parametrize(
    "call",
    [
        lambda: ops.roi_align(F, META, 2),
        lambda: ops.roi_pool(F, [FOUR, META_FOUR], 2),
        lambda: ops.ps_roi_align(F, META, 2),
        lambda: ops.ps_roi_pool(F, META, 2),
        lambda: ops.prroi_pool(F, META, 2),
        lambda: ops.roi_align_rotated(F, torch.cat([META, META[:, :1]], 1), 2),
        lambda: ops.crop_and_resize(F, META, 2),
        lambda: ops.multi_scale_roi_align([F], META, 2, [1.0]),
        lambda: ops.box_iou(FOUR, META_FOUR),
        lambda: ops.generalized_box_iou(META_FOUR, FOUR),
        lambda: ops.encode_boxes(FOUR, META_FOUR),
        lambda: ops.decode_boxes(META_FOUR, FOUR),
        lambda: ops.paste_masks_in_image(MASK, META_FOUR, (9, 9)),
        lambda: ops.nms(FOUR, META[:, 0], 0.5),
        lambda: ops.batched_nms(FOUR, B[:, 0], META[:, 0].long(), 0.5),
    ],
)
def test_tensors_on_two_devices(call):
    with pytest.raises(ValueError, match=r"must be on the device of .* got (meta and cpu|cpu and)"):
        call()


@pytest.mark.parametrize(
    ("module", "arguments", "error", "message"),
    [
        (ops.RoIAlign, ("7", 1.0, 2), ValueError, "output_size must be"),
        (ops.RoIAlign, (7, 1.0, 2, None), TypeError, "aligned must be True or False; got None"),
        (ops.RoIPool, (7, "x"), TypeError, "spatial_scale must be a number; got 'x'"),
        (ops.PSRoIAlign, (7, 1.0, None), TypeError, "sampling_ratio must be a whole number"),
        (ops.PSRoIPool, (0, 1.0), ValueError, "output_size must be at least 1"),
        (ops.PrRoIPool, (7, 1.0, "no"), TypeError, "aligned must be True or False; got 'no'"),
        (ops.RoIAlignRotated, (7, -1, 2), ValueError, "spatial_scale must be finite and positive"),
        (ops.MultiScaleRoIAlign, (["0"], 7, "2"), TypeError, "sampling_ratio must be a whole num"),
        (ops.MultiScaleRoIAlign, ([], 7, 2), ValueError, r"featmap_names must be .* got \[\]"),
    ],
)
def test_modules_that_could_never_be_called(module, arguments, error, message):
    with pytest.raises(error, match=message):
        module(*arguments)


def test_boxes_that_overflow_on_the_map(call):
    huge = np.array([[0, -1.0, -1.0, 1.0, 1.0]])
    dtype = np.float32 if call is in_torch else np.float64  # the loops count in double precision
    mean = call("prroi_pool", FEATURES.astype(dtype), (huge * 3e38).astype(dtype), 2)
    assert np.abs(mean).max() < 1e-30
    with (
        np.errstate(over="ignore"),
        pytest.raises(ValueError, match="boxes must be small enough to sample adaptively"),
    ):
        call("roi_align", FEATURES, huge * 1e300, 2, 1e9)


def test_the_loops_take_tensors_too():
    given = torch.tensor(FEATURES), torch.tensor(BOX)
    for operator in OPERATORS:
        pool = getattr(reference, operator)
        np.testing.assert_array_equal(pool(*given, 2), pool(FEATURES, BOX, 2))
