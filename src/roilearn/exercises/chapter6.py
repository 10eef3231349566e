"""Exercises of chapter 6 (the embedding bag), with the mistakes they are set to catch."""

import numpy as np

from roilearn.exercises.exercise import Edit, Exercise, Mistake, OpenTask

_random = np.random.RandomState(6)
_TABLE = _random.randint(1, 10, (8, 3)).astype(float)
_INDEX = np.array([0, 2, 2, 5, 1, 3, 5])
_WEIGHT = np.array([0.5, 0.25, 0.75, 1.5, 0.2, 0.3, 2.0])
_BAG = (_INDEX, _WEIGHT)
_GRADIENT = _random.randint(1, 10, (6, 3)).astype(float)

ROW = Exercise(
    "6.1",
    "The maps of two images, 8 rows and 10 columns each, are one table with a row for each cell, "
    "image "
    "after image, in reading order. Which row holds cell (row 3, column 5) of image 1? Everything "
    "is counted from 0.",
    115,
    (
        Mistake("no image", 35, "Right within one image. Image 1 comes after the 80 cells of 0."),
        Mistake(
            "height for width",
            93,
            "You counted 8 cells a row. A row of cells is as long as the map is wide.",
        ),
        Mistake(
            "column by column",
            123,
            "You counted down the columns. The table follows the map row by row.",
        ),
        Mistake(
            "sides exchanged",
            109,
            "You exchanged height and width: 8 rows of 10 cells, not 10 rows of 8.",
        ),
    ),
    praise="Right: (1 * 8 + 3) * 10 + 5.",
)

ENTRIES = Exercise(
    "6.2",
    "RoIAlign of 100 boxes, 14 x 14 bins, 2 x 2 samples, 256 channels, as bags: each sample lists "
    "its "
    "four cells. How many entries have all bags together? (All channels share the entries.)",
    313_600,
    (
        Mistake("samples", 78_400, "That many samples. Each of them reads four cells."),
        Mistake("bags", 19_600, "That many bags. How many entries has one of them?"),
        Mistake("one box", 3_136, "That is one box. There are 100."),
        Mistake(
            "channels",
            80_281_600,
            "You counted the 256 channels too. They share the entries: that is what a row of the "
            "table is for.",
        ),
    ),
    praise="Right: 100 * 196 bags of 16 entries.",
)

GATHER = Exercise(
    "6.3",
    "How many megabytes (of 10**6 bytes) does gathering the table's rows for all entries of 6.2 "
    "write: 100 boxes, 14 x 14 bins, 2 x 2 samples of four cells, 256 channels of float32?",
    321.1264,
    (
        Mistake("numbers", 80.2816, "That many million numbers. A float32 has four bytes."),
        Mistake(
            "output",
            20.0704,
            "That is the output. The gather writes one row for each entry, before any is summed.",
        ),
        Mistake("one channel", 1.2544, "That is one channel. A row has 256 of them."),
        Mistake("float64", 642.2528, "Those are numbers of eight bytes. A float32 has four."),
        Mistake("mebibytes", 306.25, "You divided by 2**20. A megabyte is 10**6 bytes here."),
    ),
    tolerance=1e-3,
    praise="Right: 313,600 rows of 1,024 bytes, to be read again afterwards.",
)


def bag_sum(
    table: np.ndarray, index: np.ndarray, weight: np.ndarray, offsets: np.ndarray
) -> np.ndarray:
    """Sum each bag, an empty one to 0: the answer to 6.4."""
    stops = [*offsets[1:], len(index)]
    rows = []
    for start, stop in zip(offsets, stops, strict=True):
        rows.append(weight[start:stop] @ table[index[start:stop]])
    return np.array(rows)


SUM = Exercise(
    "6.4",
    "Write bag_sum(table, index, weight, offsets): the weighted sums of all bags, (bags, C). table "
    "has a row of C numbers for each cell. Bag b has the entries from offsets[b] up to the next "
    "offset, the last bag those up to the end of the list; entry e adds weight[e] times "
    "table[index[e]]. A bag may be empty, wherever it stands, and sums to 0.",
    bag_sum,
    (
        Mistake(
            "reduceat",
            lambda table, index, weight, offsets: np.add.reduceat(
                weight[:, None] * table[index], offsets, axis=0
            ),
            "Right but for the empty bag, which must give 0. np.add.reduceat gives it the entry "
            "that comes next.",
            also=(
                lambda table, index, weight, offsets: np.add.reduceat(
                    np.vstack([weight[:, None] * table[index], 0 * table[:1]]), offsets, axis=0
                ),
            ),
        ),
        Mistake(
            "last bag",
            lambda table, index, weight, offsets: bag_sum(
                table, index[: offsets[-1]], weight[: offsets[-1]], offsets
            ),
            "Your last bag is empty. Its entries run from the last offset to the end of the list.",
        ),
        Mistake(
            "last bag missing",
            lambda table, index, weight, offsets: bag_sum(table, index, weight, offsets)[:-1],
            "Your last bag is missing. Its entries run from the last offset to the end of the "
            "list.",
        ),
        Mistake(
            "mean",
            lambda table, index, weight, offsets: (
                bag_sum(table, index, weight, offsets)
                / np.maximum(np.diff([*offsets, len(index)]), 1)[:, None]
            ),
            "You divided by the number of entries. The weights are shares already.",
        ),
        Mistake(
            "no weights",
            lambda table, index, weight, offsets: bag_sum(table, index, 0 * weight + 1, offsets),
            "You added the rows as they are. Each counts by its weight.",
        ),
        Mistake(
            "rows in order",
            Edit("table[index[start:stop]]", "table[start:stop]"),
            "You took the table's rows from start to stop. index says which rows an entry names.",
        ),
    ),
    groups={
        "every bag filled": [
            (_TABLE, *_BAG, np.array([0, 3, 4])),
            (_TABLE, *_BAG, np.array([0, 2, 3, 5])),
        ],
        "empty bag": [(_TABLE, *_BAG, np.array([0, 3, 3, 4]))],
        "empty first bag": [(_TABLE, *_BAG, np.array([0, 0, 4]))],
        "empty last bag": [(_TABLE, *_BAG, np.array([0, 3, 7]))],
        "two empty bags in a row": [(_TABLE, *_BAG, np.array([0, 3, 3, 3, 5]))],
        "one bag": [(_TABLE, *_BAG, np.array([0]))],
        "more entries than cells": [(_TABLE[:6], *_BAG, np.array([0, 3, 5]))],
        "one channel": [(_TABLE[:, :1], *_BAG, np.array([0, 2, 5]))],
    },
    praise="Right, the empty bags included.",
)


def table_gradient(
    gradient: np.ndarray, index: np.ndarray, weight: np.ndarray, offsets: np.ndarray, cells: int
) -> np.ndarray:
    """Gradient of the table, the transposed bag: the answer to 6.5."""
    stops = [*offsets[1:], len(index)]
    received = np.zeros((cells, gradient.shape[1]))
    for bag, (start, stop) in enumerate(zip(offsets, stops, strict=True)):
        for entry in range(start, stop):
            received[index[entry]] += weight[entry] * gradient[bag]
    return received


def _by_cell(
    gradient: np.ndarray, index: np.ndarray, weight: np.ndarray, offsets: np.ndarray, cells: int
) -> np.ndarray:
    del offsets
    received = np.zeros((cells, gradient.shape[1]))
    np.add.at(received, index, weight[:, None] * gradient[index % len(gradient)])
    return received


TABLE_GRADIENT = Exercise(
    "6.5",
    "Write table_gradient(gradient, index, weight, offsets, cells): the gradient of the table of "
    "6.4, "
    "(cells, C). gradient (bags, C) is what arrives at the bags. Bag b has the entries from "
    "offsets[b] up to the next offset, the last bag those up to the end; entry e adds weight[e] "
    "times its bag's gradient to row index[e]. A cell may stand in several entries, or in none, "
    "which leaves it 0; a bag may be empty.",
    table_gradient,
    (
        Mistake(
            "+= at an index",
            Edit(
                "received[index[entry]] += weight[entry] * gradient[bag]",
                "received[index[entry]] = weight[entry] * gradient[bag]",
            ),
            "A cell that stands in several entries receives the gradient of only one of them: "
            "received[index] += ... keeps the last. np.add.at adds them all.",
        ),
        Mistake(
            "no weights",
            Edit("weight[entry] * gradient[bag]", "gradient[bag]"),
            "Each entry's gradient is multiplied by the weight with which the cell was read.",
        ),
        Mistake(
            "all bags alike",
            Edit("gradient[bag]", "gradient.mean(axis=0)"),
            "You gave every entry the same gradient. An entry receives what arrived at its own "
            "bag.",
        ),
        Mistake(
            "gradient by cell",
            _by_cell,
            "You read gradient[index]. gradient has a row for each bag, not for each cell: look up "
            "the bag in which the entry stands.",
        ),
        Mistake(
            "last bag",
            lambda gradient, index, weight, offsets, cells: table_gradient(
                gradient, index[: offsets[-1]], weight[: offsets[-1]], offsets, cells
            ),
            "The entries of your last bag are missing. They run from the last offset to the end.",
        ),
    ),
    groups={
        "as many bags as cells": [(_GRADIENT, *_BAG, np.array([0, 2, 2, 3, 4, 6]), 6)],
        "fewer bags than cells": [
            (_GRADIENT[:3], *_BAG, np.array([0, 3, 4]), 6),
            (_GRADIENT[:2], *_BAG, np.array([0, 1]), 8),
        ],
        "more bags than cells": [
            (_GRADIENT[:4], np.array([0, 1, 1, 0, 1]), _WEIGHT[:5], np.array([0, 1, 2, 4]), 2)
        ],
        "empty bags": [(_GRADIENT[:4], *_BAG, np.array([0, 0, 3, 7]), 6)],
        "one bag": [(_GRADIENT[:1], *_BAG, np.array([0]), 6)],
        "no cell twice": [
            (_GRADIENT[:3], np.array([4, 0, 3]), _WEIGHT[:3], np.array([0, 1, 2]), 5)
        ],
    },
    praise="Right: the same entries, collected by cell.",
)

EXERCISES = (ROW, ENTRIES, GATHER, SUM, TABLE_GRADIENT)
"""In the order of the page."""

OPEN_TASKS = (
    OpenTask(
        "6.6",
        "A box head pools 1,000 boxes into 7 x 7 bins, and a mask head 100 of them into 14 x 14, "
        "from "
        "the same maps. What can the two share? Count its bytes. And what would you do for "
        "RoIPool, "
        "whose maxima are no sums?",
    ),
)
