"""Records of a COCO file: those with the required fields, and the categories among them."""

from collections.abc import Iterator, Mapping
from typing import Any

from roilearn.data.coco.fault_report import Faults
from roilearn.data.coco.plain_numbers import plain_id, plain_record


def valid_categories(records: Any, faults: Faults) -> dict[Any, str]:
    """Collect the names of the categories by id, in the order of the ids; report faulty ones."""
    names: dict[Any, str] = {}
    for place, record in valid_records(records, "categories", ("id",), faults):
        if record["id"] in names:
            faults.add("category id given twice", place)
            continue
        name = str(record.get("name", record["id"]))
        if name in names.values():
            faults.add("category name given twice", f"{place} ({name!r})")
        while name in names.values():
            name = f"{name} ({record['id']})"
        names[record["id"]] = name
    return dict(sorted(names.items(), key=lambda item: (isinstance(item[0], str), item[0])))


def without_root(categories: Any, annotations: Any, faults: Faults) -> Any:
    """Leave out a root: a category that is the group of all others and that no object has.

    Roboflow writes one, with id 0. A model would have an output for it that learns nothing, and the
    first class would have label 2.

    Parameters
    ----------
    categories, annotations : the lists of the file.
    """
    if not isinstance(categories, list):
        return categories
    listed = [each for each in categories if isinstance(each, Mapping) and "id" in each]
    for root in listed:
        groups = [each.get("supercategory") for each in listed if each is not root]
        of_all = groups and all(group == root.get("name", ...) for group in groups)
        if of_all and not has_objects(root, annotations):
            faults.add("root class", str(root["name"]))
            return [each for each in categories if each is not root]
    return categories


def has_objects(category: Mapping[str, Any], annotations: Any) -> bool:
    """Whether any annotation is of a category."""
    listed = annotations if isinstance(annotations, list) else []
    number = plain_id(category["id"])
    return any(
        isinstance(each, Mapping) and plain_id(each.get("category_id")) == number for each in listed
    )


def valid_records(
    records: Any, name: str, fields: tuple[str, ...], faults: Faults
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each record that is a dict with the fields, with a name for messages; report others."""
    kind = {"categories": "category", "images": "image", "annotations": "annotation"}[name]
    if not isinstance(records, list):
        faults.add("record that cannot be read", name)
        return
    for number, each in enumerate(records):
        record = plain_record(each) if isinstance(each, Mapping) else each
        if record is not each:
            faults.add("number written as text", f"{kind} {record.get('id', number)}")
        whole = isinstance(record, Mapping) and all(
            isinstance(record.get(field), int | float | str) for field in fields
        )
        if whole:
            yield f"{kind} {record.get('id', number)}", record
        else:
            faults.add("record that cannot be read", f"{name}[{number}]")
