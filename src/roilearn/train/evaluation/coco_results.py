"""COCO results: the detections of an evaluation in a file, with the ids of the user's COCO file."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from roilearn.data import CocoFolder, mask_to_rle


class CocoResults:
    """The detections of an evaluation as COCO results, with the ids of the COCO file.

    Labels of a model count from 1, and its classes may stand in another order than those of the
    file. Detections of a class that the file does not have are left out, as COCO's metrics ignore
    them.

    Parameters
    ----------
    folder : data set that is evaluated.
    names : class names of the model, that of label 1 first.

    Attributes
    ----------
    results : for each detection ``image_id``, ``category_id``, ``score``, ``bbox`` (x, y, width,
        height in image pixels) and, if there are masks, ``segmentation`` (run lengths).
    image_ids : ids of the images that were evaluated, also of those without a detection.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from roilearn.data import ShapeScenes, export_coco
    >>> with TemporaryDirectory() as place:
    ...     folder = CocoFolder(None, export_coco(ShapeScenes(1), place))
    >>> results = CocoResults(folder, ("triangle", "disc"))
    >>> found = {"boxes": [[1, 2, 4, 6]], "labels": [2], "scores": [0.5]}
    >>> results.add(0, {name: np.array(values) for name, values in found.items()})
    >>> folder.names.index("disc"), folder.category_ids[0], results.results[0]["category_id"]
    (0, 1, 1)
    >>> results.results[0]["bbox"], results.image_ids
    ([1.0, 2.0, 3.0, 4.0], [0])
    """

    def __init__(self, folder: CocoFolder, names: Sequence[str]) -> None:
        of_name = dict(zip(folder.names, folder.category_ids, strict=True))
        labelled = enumerate(names, start=1)
        self.category_ids = {k: of_name[name] for k, name in labelled if name and name in of_name}
        self.ids_in_order = [record.id for record, _ in folder.items]
        self.results: list[dict[str, Any]] = []
        self.image_ids: list[Any] = []

    def add(self, index: int, detections: Mapping[str, np.ndarray]) -> None:
        """Add the detections of an image; see ``on_image`` of ``evaluate``.

        Parameters
        ----------
        index : place of the image in the data set.
        detections : ``boxes`` (n, 4) x1, y1, x2, y2 in image pixels, ends exclusive; ``labels``
            (n,); ``scores`` (n,); optionally ``masks`` (n, H, W) booleans.
        """
        image_id = self.ids_in_order[index]
        self.image_ids.append(image_id)
        labels, scores = detections["labels"].tolist(), detections["scores"].tolist()
        boxes = detections["boxes"].astype(float).tolist()
        for n, (label, score, (x1, y1, x2, y2)) in enumerate(
            zip(labels, scores, boxes, strict=True)
        ):
            if label not in self.category_ids:
                continue
            result = {"image_id": image_id, "category_id": self.category_ids[label]}
            result |= {"score": score, "bbox": [x1, y1, x2 - x1, y2 - y1]}
            if "masks" in detections:
                result["segmentation"] = mask_to_rle(detections["masks"][n])
            self.results.append(result)

    def write(self, file: str | Path) -> Path:
        """Write the results to a JSON file, and the ids of the images to another beside it.

        pycocotools measures all images of a COCO file unless ``params.imgIds`` lists them. So who
        measures a part of them needs these ids.

        Returns
        -------
        The other file: that of ``found.json`` is ``found.images.json``.
        """
        file = Path(file)
        other = file.with_name(f"{file.stem}.images.json")
        for path, contents in ((file, self.results), (other, self.image_ids)):
            part = path.with_name(f"{path.name}.part")
            part.write_text(json.dumps(contents), encoding="utf-8")
            part.replace(path)
        return other
