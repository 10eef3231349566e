"""Exercises of chapter 6's page on GPUs, with the mistakes they are set to catch."""

import numpy as np

from roilearn.exercises.bits import (
    from_the_left,
    of_the_first_alone,
    survivors,
    who_goes,
    without_asking,
)
from roilearn.exercises.exercise import Exercise, Mistake

SECTORS = Exercise(
    "6b.1",
    "Bytes that one number of step 1 fetches from the map: 3 x 3 samples, sectors of 32 bytes.",
    1152,
    (
        Mistake(
            "numbers", 144, "Those are the numbers wanted. Each comes in a sector of 32 bytes."
        ),
        Mistake("samples", 288, "That is a sector a sample. Each sample reads four cells."),
        Mistake("two by two", 512, "That is for 2 x 2 samples. Here they are 3 x 3."),
        Mistake(
            "shared",
            576,
            "Two neighbours in a row often share a sector, but they are two loads: without a cache "
            "each fetches it.",
        ),
    ),
    praise="Right: 9 samples of 4 loads, 32 bytes each.",
)

PROGRAMS = Exercise(
    "6b.2",
    "Programs that step 3 starts: 300 boxes, 14 x 14 bins, 256 channels; 16 bins x 128 channels.",
    7800,
    (
        Mistake(
            "bins of two boxes",
            7350,
            "You let a program take bins of two boxes. The last program of a box has 4 bins left.",
        ),
        Mistake("one block", 3900, "That is one block of channels. 256 of them are two blocks."),
        Mistake("rounded down", 7200, "You rounded 12.25 down: 4 bins of each box are missing."),
        Mistake("step 2", 117_600, "That is step 2, with a program for each bin."),
    ),
    praise="Right: 300 boxes, 13 parts of at most 16 bins, 2 blocks of channels.",
)

ROOF = Exercise(
    "6b.3",
    "At most how many 10**9 operations a second, if each number takes 33 operations and 68 bytes, "
    "and memory gives 1,000 * 10**9 bytes a second?",
    33 / 68 * 1000,
    (
        Mistake("upside down", 68 / 33 * 1000, "You divided the bytes by the operations."),
        Mistake("bandwidth", 1000, "That is the bandwidth: one operation for each byte."),
        Mistake("numbers", 1000 / 68, "That many 10**9 numbers. Each takes 33 operations."),
        Mistake("no bytes", 33_000, "You gave every byte 33 operations. 68 bytes share them."),
    ),
    tolerance=2e-3,
    praise="Right: 0.485 operations a byte, times 1,000.",
)

BITS = Exercise(
    "6b.4",
    "Write survivors(words): whether each box stays, from the rows of bits of NMS.",
    survivors,
    (
        Mistake(
            "the gone suppress",
            without_asking,
            "A box that is gone suppresses nobody. Ask whether a box is still there before you use "
            "its row.",
        ),
        Mistake(
            "from the left",
            from_the_left,
            "You read the bits from the highest. Bit j is word >> j & 1.",
        ),
        Mistake(
            "the first alone",
            of_the_first_alone,
            "You used the row of the best box alone. Each box that stays has its say.",
        ),
        Mistake("who goes", who_goes, "You say who goes. The answer is who stays."),
    ),
    inputs=((np.array([0b000010, 0b000100, 0b011000, 0b000000, 0b100000, 0b000000]),),),
    praise="Right: one box after the other, and only those that stay have a say.",
)

EXERCISES = (SECTORS, PROGRAMS, ROOF, BITS)
"""In the order of the page; 6b.5 is open and has no check."""
