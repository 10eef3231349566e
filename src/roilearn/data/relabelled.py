"""A data set whose labels are those of a model: the same classes by name, in the model's order."""

from collections.abc import Collection, Sequence
from typing import Any

from torch.utils.data import Dataset


class Relabelled(Dataset):
    """The images and targets of a data set, with the labels that a model gives its classes.

    Parameters
    ----------
    items : data set with class names in ``items.names``, that of label 1 first.
    names : class names of the model, that of label 1 first; "" for a label without a class.
    unused : class names of the data set that have no objects, which the model need not know.

    Raises
    ------
    ValueError: a class, not ``unused``, whose name the model does not have.

    Examples
    --------
    >>> from roilearn.data import ShapeScenes
    >>> scenes = ShapeScenes(1)
    >>> scenes.names = scenes.shapes
    >>> turned = Relabelled(scenes, ("triangle", "square", "disc"))
    >>> bool((turned[0][1]["labels"] == 4 - scenes[0][1]["labels"]).all())
    True
    """

    def __init__(self, items: Any, names: Sequence[str], unused: Collection[str] = ()) -> None:
        known = {name: label for label, name in enumerate(names, start=1) if name}
        wanted = [name for name in items.names if name and name not in unused]
        missing = [name for name in wanted if name not in known]
        if missing:
            raise ValueError(
                f"the data must have no other classes than the model; got {', '.join(missing)}, "
                f"and the model has {', '.join(known)}. Rename the categories in the COCO file."
            )
        self.items, self.names = items, tuple(names)
        self.labels = [0, *(known.get(name, 0) for name in items.names)]

    def __len__(self) -> int:
        """Count the items."""
        return len(self.items)

    def __getitem__(self, index: int) -> tuple[Any, dict[str, Any]]:
        """Load item ``index`` and rename its labels."""
        image, target = self.items[index]
        labels = target["labels"]
        return image, {**target, "labels": labels.new_tensor(self.labels)[labels]}
