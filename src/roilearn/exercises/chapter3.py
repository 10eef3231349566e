"""Exercises of chapter 3, with the mistakes they are set to catch."""

from roilearn.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
