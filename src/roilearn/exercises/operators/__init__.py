"""Exercises that ask for a whole operator, a file for each, in the order of the chapters."""
