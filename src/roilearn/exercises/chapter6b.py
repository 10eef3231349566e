"""Exercises of chapter 6's page on GPUs, with the mistakes they are set to catch."""

import numpy as np

from roilearn.exercises.exercise import Edit, Exercise, Mistake, OpenTask

SECTORS = Exercise(
    "6b.1",
    "In step 1 a program computes one number of the output from 3 x 3 samples of four cells each. "
    "Memory is fetched in sectors of 32 bytes. How many bytes of the map does that number fetch, "
    "if no cache helps and no two loads share a sector?",
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
    "Step 3 pools 300 boxes into 14 x 14 bins of 256 channels; a program takes up to 16 bins of "
    "one box "
    "and 128 channels. How many programs does it start?",
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
    "Each number of an output takes 33 operations and moves 68 bytes, 64 of the map and 4 of the "
    "output; memory gives 1,000 * 10**9 bytes a second. How many 10**9 operations a second are "
    "possible at most?",
    33 / 68 * 1000,
    (
        Mistake("upside down", 68 / 33 * 1000, "You divided the bytes by the operations."),
        Mistake("bandwidth", 1000, "That is the bandwidth: one operation for each byte."),
        Mistake("numbers", 1000 / 68, "That many 10**9 numbers. Each takes 33 operations."),
        Mistake(
            "operations a second",
            33 / 68 * 1e12,
            "That many operations a second is right. The question asks for it in 10**9.",
        ),
        Mistake("no bytes", 33_000, "You gave every byte 33 operations. 68 bytes share them."),
    ),
    tolerance=2e-3,
    praise="Right: 0.485 operations a byte, times 1,000.",
)


def survivors(words: np.ndarray) -> np.ndarray:
    """Whether each box stays, from the bit masks of NMS: the answer to 6b.4."""
    suppressed, stays = 0, []
    for number, word in enumerate(words):
        stays.append(not suppressed >> number & 1)
        if stays[-1]:
            suppressed |= int(word)
    return np.array(stays)


def _from_the_left(words: np.ndarray) -> np.ndarray:
    return survivors(np.array([int(f"{int(word):0{len(words)}b}"[::-1], 2) for word in words]))


def _words(*rows: str) -> np.ndarray:
    """Bit masks from rows of 0 and 1 that are written from bit 0 on."""
    return np.array([int(row[::-1], 2) for row in rows])


SURVIVORS = Exercise(
    "6b.4",
    "Write survivors(words): whether each box stays after NMS, a list or array of N truth values. "
    "The boxes are sorted by falling score. Bit j of words[i] (counted from the lowest, words[i] "
    ">> "
    "j & 1) is 1 if box j comes after box i and overlaps it too much. Going from the best box on, "
    "a box that stays suppresses those that its word names; a suppressed box suppresses nobody.",
    survivors,
    (
        Mistake(
            "the suppressed suppress",
            Edit("if stays[-1]:", "if True:"),
            "A suppressed box suppresses nobody. Ask whether a box is still there before you use "
            "its row.",
        ),
        Mistake(
            "from the left",
            _from_the_left,
            "You read the bits from the highest. Bit j is word >> j & 1.",
        ),
        Mistake(
            "the first alone",
            lambda words: (int(words[0]) >> np.arange(len(words)) & 1) == 0,
            "You used the row of the best box alone. Each box that stays suppresses others.",
        ),
        Mistake(
            "who goes",
            lambda words: ~survivors(words),
            "You say who is suppressed. The answer is who stays.",
        ),
        Mistake(
            "bits exchanged",
            Edit("suppressed |= int(word)", "suppressed ^= int(word)"),
            "A box that is suppressed twice comes back: you exchange its bit (^, or adding). Set "
            "it: |.",
        ),
        Mistake(
            "replaced",
            Edit("suppressed |= int(word)", "suppressed = int(word)"),
            "You forget what earlier boxes suppressed. Keep the old bits: |=.",
        ),
        Mistake(
            "numbers of those that stay",
            lambda words: np.flatnonzero(survivors(words)),
            "Those are the numbers of the boxes that stay. Asked is a truth value for each box.",
        ),
    ),
    groups={
        "a chain": [(_words("010000", "001000", "000110", "000000", "000001", "000000"),)],
        "nobody overlaps": [(_words("000", "000", "000"),)],
        "suppressed twice": [
            (_words("0010", "0011", "0000", "0000"),),
            (_words("01100", "00010", "00011", "00001", "00000"),),
        ],
        "suppressed twice by boxes that stay": [(_words("0011", "0010", "0000", "0000"),)],
        "the best suppresses all": [(_words("0111", "0010", "0001", "0000"),)],
        "one box": [(_words("0"),)],
        "the last overlaps": [(_words("00000", "00001", "00010", "00000", "00000"),)],
    },
    praise="Right: one box after the other, and only those that stay suppress others.",
)

EXERCISES = (SECTORS, PROGRAMS, ROOF, SURVIVORS)
"""In the order of the page."""

OPEN_TASKS = (
    OpenTask(
        "6b.5",
        "The features are half as wide, bfloat16. What becomes of the bytes asked for by each "
        "step, of those needed, and of the lines in Figure 6b.4? Which step gains least?",
    ),
)
