"""Records of a COCO file: those with the required fields, and the categories among them."""

from collections.abc import Iterator, Mapping
from typing import Any

from roilearn.data.coco.fault_report import Faults
from roilearn.data.coco.plain_numbers import plain_record


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
