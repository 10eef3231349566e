"""Exercises of chapter 6 (the embedding bag), with the mistakes they are set to catch."""

import numpy as np

from roilearn.exercises.bag_sums import (
    bag_mean,
    bag_sum,
    paid,
    paid_by_cell,
    paid_once,
    reduceat_sum,
    without_last_bag,
)
from roilearn.exercises.exercise import Exercise, Mistake

_random = np.random.RandomState(6)
_TABLE = _random.randint(1, 10, (6, 3)).astype(float)
_INDEX = np.array([0, 2, 2, 5, 1, 3, 5])
_WEIGHT = np.array([0.5, 0.25, 0.75, 1.5, 0.2, 0.3, 2.0])
_OFFSETS = np.array([0, 3, 3, 4])  # the second bag is empty
_SIX = np.array([0, 2, 2, 3, 4, 6])  # as many bags as cells: an index of one fits the other
_GRADIENT = _random.randint(1, 10, (6, 3)).astype(float)

ROW = Exercise(
    "6.1",
    "Row of the table that holds cell (row 3, column 5) of image 1; maps of 8 rows, 10 columns.",
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
    "Entries of all bags: 100 boxes, 14 x 14 bins, 2 x 2 samples, sample by sample.",
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
    "Megabytes (10**6 bytes) that gathering the rows of 6.2 writes; 256 channels of float32.",
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

SUM = Exercise(
    "6.4",
    "Write bag_sum(table, index, weight, offsets): the sums of all bags, (bags, C).",
    bag_sum,
    (
        Mistake(
            "reduceat",
            reduceat_sum,
            "Right but for the empty bag, which must give 0. np.add.reduceat gives it the entry "
            "that comes next.",
        ),
        Mistake(
            "last bag",
            without_last_bag,
            "Your last bag is empty. Its entries run from the last offset to the end of the list.",
        ),
        Mistake(
            "mean",
            bag_mean,
            "You divided by the number of entries. The weights are shares already.",
        ),
        Mistake(
            "no weights",
            lambda table, index, weight, offsets: bag_sum(table, index, 0 * weight + 1, offsets),
            "You added the rows as they are. Each counts by its weight.",
        ),
    ),
    inputs=((_TABLE, _INDEX, _WEIGHT, _OFFSETS),),
    praise="Right, the empty bag included.",
)

PAID = Exercise(
    "6.5",
    "Write paid(gradient, index, weight, offsets, cells): the gradient of the table, (cells, C).",
    paid,
    (
        Mistake(
            "+= at an index",
            paid_once,
            "A cell that stands in several places was paid for one of them only: received[index] "
            "+= ... keeps the last. np.add.at adds them all.",
        ),
        Mistake(
            "no weights",
            lambda gradient, index, weight, offsets, cells: paid(
                gradient, index, 0 * weight + 1, offsets, cells
            ),
            "Each cell is paid by the weight with which it was read.",
        ),
        Mistake(
            "paid like equals",
            lambda gradient, index, weight, offsets, cells: paid(
                0 * gradient + gradient.mean(axis=0), index, weight, offsets, cells
            ),
            "You paid every entry alike. An entry is paid what arrived at its own bag.",
        ),
        Mistake(
            "gradient by cell",
            paid_by_cell,
            "You read gradient[index]. gradient has a row for each bag, not for each cell: look up "
            "the bag in which the entry stands.",
        ),
    ),
    inputs=((_GRADIENT, _INDEX, _WEIGHT, _SIX, 6),),
    praise="Right: the same entries, collected by cell.",
)

EXERCISES = (ROW, ENTRIES, GATHER, SUM, PAID)
"""In the order of the page; 6.6 is open and has no check."""
