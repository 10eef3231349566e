"""``roilearn predict``: image files in; a line for each detection, and a picture for each image."""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from matplotlib import pyplot as plt
from torch import Tensor
from tqdm import tqdm

from roilearn.arguments import check_share
from roilearn.cli.device import check_device
from roilearn.cli.errors import as_typed
from roilearn.data import image_files, picture_of_detections, read_image
from roilearn.train.predict import named_model, predict

ENDING = ".detections.png"
"""What the name of a picture ends in; a folder's images that end so are pictures, not images."""
OPTIONS = ("device", "output", "threshold", "weights")
RESOLUTION = (110, 600)
"""Fewest and most dots an inch of a picture; between them it has as many pixels as its image."""


def command(options: argparse.Namespace) -> int:
    """Run ``roilearn predict``.

    Returns
    -------
    Exit status: 0; 1 if an image is missing or broken, after all others; 2 if nothing could be
    begun or a picture not be written; 130 after Ctrl-C.
    """
    plt.switch_backend("Agg")  # pictures go to files: no window, no screen needed
    try:
        check_share("threshold", options.threshold)
        model, names = named_model(options.weights)
        model.to(check_device(options.device))
        make_folder(options.output)
        files, faults = find_files(options.images)
        places = picture_paths(files, options.output)
        drawn = 0
        bar = tqdm(files, desc="predict", unit="image", disable=len(files) < 2 or None)
        for file in bar:
            try:
                image = read_image(file)
            except Exception as error:  # noqa: BLE001  a decoder raises what it likes
                faults.append(report(f"{file}: cannot be read as an image ({error})"))
                continue
            (found,) = predict(model, [image], options.threshold)
            save_picture(image, found, names, places[file])
            for line in lines(found, names, options.threshold):
                tqdm.write(f"{file}: {line}")
            if places[file].name != file.stem + ENDING:
                report(f"{file}: its picture is {places[file]}, since another has its name")
            drawn += 1
        if drawn:
            report(f"roilearn predict: {drawn} of {len(files)} pictures are in {options.output}")
    except FloatingPointError as error:
        report(f"roilearn predict: --weights have numbers that are not finite: {error}")
        return 2
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        report(f"roilearn predict: {as_typed(error, OPTIONS)}")
        return 2
    except KeyboardInterrupt:
        report(f"roilearn predict: interrupted; what was done is in {options.output}")
        return 130
    return 1 if faults else 0


def report(fault: str) -> str:
    """Write a line to the error stream, above the bar if there is one; return it."""
    tqdm.write(fault, file=sys.stderr)
    return fault


def make_folder(folder: Path) -> None:
    """Make a folder for the pictures, unless there is one; raise if a file is in its place."""
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"output must be a folder; {folder} is a file.")
    folder.mkdir(parents=True, exist_ok=True)


def find_files(paths: Iterable[Path]) -> tuple[list[Path], list[str]]:
    """List images, each once, and report which of the paths lead to none."""
    files, faults = [], []
    for path in paths:
        try:
            found = image_files(path)
        except OSError as error:
            faults.append(report(str(error)))
            continue
        files += [file for file in found if file == path or not file.name.endswith(ENDING)]
    return list(dict.fromkeys(files)), faults


def picture_paths(files: Sequence[Path], folder: Path) -> dict[Path, Path]:
    """Give each image the path of its picture: no two the same, and none that of an image."""
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
    """Return what two paths of one file have in common, on systems that ignore case too."""
    return str(path.resolve()).casefold()


def save_picture(
    image: Tensor, found: Mapping[str, Tensor], names: Sequence[str], path: Path
) -> None:
    """Draw what was found in an image; the file appears when it is complete."""
    figure = picture_of_detections([image], [found], names)
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


def lines(found: Mapping[str, Tensor], names: Sequence[str], threshold: float) -> Iterator[str]:
    """Write class, score and box, x1, y1, x2, y2 in image pixels, of each detection."""
    if not len(found["scores"]):
        yield f"nothing with a score above {threshold:g}"
    for label, score, box in zip(
        found["labels"].tolist(), found["scores"].tolist(), found["boxes"].tolist(), strict=True
    ):
        name = (names[label - 1] if label <= len(names) else "") or f"class {label}"
        yield f"{name} {score:.2f}, box " + " ".join(f"{edge:.1f}" for edge in box)
