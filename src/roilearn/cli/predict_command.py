"""``roilearn predict``: detect objects in image files; print a line for each, draw each image."""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from matplotlib import pyplot as plt
from torch import Tensor, nn
from tqdm import tqdm

from roilearn.arguments import check_fraction
from roilearn.cli.device import check_device
from roilearn.cli.errors import as_command_error
from roilearn.cli.predict_outputs import Outputs
from roilearn.data import draw_detections, image_files, read_image
from roilearn.train.predict import named_model, predict

ENDING = ".detections.png"
"""Ending of the files that are written. Such files are left out when a folder is read."""
OPTIONS = ("coco_results", "csv", "device", "masks", "output", "score_threshold", "weights")
RESOLUTION = (110, 600)
"""Lowest and highest resolution of a drawing in dots per inch. Between them, a drawing has as many
pixels as its image."""


def run(options: argparse.Namespace) -> int:
    """Run ``roilearn predict``.

    Returns
    -------
    Exit status: 0; 1 if an image was missing or broken or failed, after the others are done; 2 if
    an argument is bad or a file cannot be written; 130 after Ctrl-C.
    """
    plt.switch_backend("Agg")  # drawings go to files, so no screen is needed
    try:
        check_fraction("score_threshold", options.score_threshold)
        model, names = named_model(options.weights)
        model.to(check_device(options.device))
        make_folder(options.output)
        masks = options.masks if model.roi_heads.has_masks else None
        if masks is not None:
            make_folder(masks)
        elif options.masks is not None:
            report("roilearn predict: --masks is of no use: the model of --weights has no masks")
        outputs = Outputs(options.coco_results, options.csv, masks, names)
        files, failures = find_files(options.images)
        places = drawing_paths(files, options.output)
        drawn = 0
        bar = tqdm(files, desc="predict", unit="image", disable=len(files) < 2 or None)
        for file in bar:
            failure = predict_file(file, model, options.score_threshold, places[file], outputs)
            if failure:
                failures.append(report(failure))
            drawn += not failure
        outputs.write()
        if drawn:
            report(f"roilearn predict: {drawn} of {len(files)} drawings are in {options.output}")
    except FloatingPointError as error:
        report(f"roilearn predict: --weights hold values that are not finite: {error}")
        return 2
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        report(f"roilearn predict: {as_command_error(error, OPTIONS)}")
        return 2
    except KeyboardInterrupt:
        report(f"roilearn predict: interrupted; what was done is in {options.output}")
        return 130
    return 1 if failures else 0


def predict_file(
    file: Path, model: nn.Module, score_threshold: float, drawing: Path, outputs: Outputs
) -> str | None:
    """Predict one image, draw and print its detections; return what failed, or None.

    Raises
    ------
    FloatingPointError, OSError: of the weights or the output folder, so other images would fail as
        well.
    """
    try:
        image = read_image(file)
    except Exception as error:  # noqa: BLE001  a decoder raises what it likes
        return f"{file}: cannot be read as an image ({error})"
    try:
        (detections,) = predict(model, [image], score_threshold)
        save_drawing(image, detections, outputs.names, drawing)
        outputs.add(file, drawing.name.removesuffix(ENDING), detections)
    except (FloatingPointError, OSError):
        raise
    except Exception as error:  # noqa: BLE001  one image that fails stops no other
        return f"{file}: failed ({type(error).__name__}: {error})"
    for line in detection_lines(detections, outputs.names, score_threshold):
        tqdm.write(f"{file}: {line}")
    if drawing.name != file.stem + ENDING:
        report(f"{file}: drawn in {drawing}, since another image has its name")
    return None


def report(text: str) -> str:
    """Write a line to stderr, above the progress bar if there is one; return it."""
    tqdm.write(text, file=sys.stderr)
    return text


def make_folder(folder: Path) -> None:
    """Make the output folder unless it exists; raise if there is a file of that name."""
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"output must be a folder; {folder} is a file.")
    folder.mkdir(parents=True, exist_ok=True)


def find_files(paths: Iterable[Path]) -> tuple[list[Path], list[str]]:
    """List image files, each once, and report the paths at which there are none."""
    files, failures = [], []
    for path in paths:
        try:
            found = image_files(path)
        except OSError as error:
            failures.append(report(str(error)))
            continue
        files += [file for file in found if file == path or not file.name.endswith(ENDING)]
    return list(dict.fromkeys(files)), failures


def drawing_paths(files: Sequence[Path], folder: Path) -> dict[Path, Path]:
    """Choose the path of each image's drawing, so that none overwrites another or an image."""
    taken = {key(file) for file in files}
    places = {}
    for file in files:
        place, number = folder / f"{file.stem}{ENDING}", 1
        while key(place) in taken:
            number += 1
            place = folder / f"{file.stem}-{number}{ENDING}"
        places[file] = place
        taken.add(key(place))
    return places


def key(path: Path) -> str:
    """Return a key that is equal for two paths of one file, also where case does not matter."""
    return str(path.resolve()).casefold()


def save_drawing(
    image: Tensor, detections: Mapping[str, Tensor], names: Sequence[str], path: Path
) -> None:
    """Draw the detections of an image into a PNG file, which appears only when it is complete."""
    figure = draw_detections([image], [detections], names)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    fewest, most = RESOLUTION
    try:
        figure.draw_without_rendering()  # settles how large the image is drawn
        inches = max(figure.axes[0].get_window_extent().size) / figure.dpi
        dots = min(max(max(image.shape) / inches, fewest), most)
        figure.savefig(part, format="png", dpi=dots, bbox_inches="tight", pad_inches=1 / dots)
        part.replace(path)
    finally:
        plt.close(figure)
        part.unlink(missing_ok=True)


def detection_lines(
    detections: Mapping[str, Tensor], names: Sequence[str], score_threshold: float
) -> Iterator[str]:
    """Format class, score and box (x1, y1, x2, y2 in image pixels) of each detection."""
    if not len(detections["scores"]):
        yield f"nothing with a score above {score_threshold:g}"
    columns = (detections[name].tolist() for name in ("labels", "scores", "boxes"))
    for label, score, box in zip(*columns, strict=True):
        name = (names[label - 1] if label <= len(names) else "") or f"class {label}"
        yield f"{name} {score:.2f}, box " + " ".join(f"{edge:.1f}" for edge in box)
