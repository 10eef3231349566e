"""What is held out is drawn at random, with every class where that is possible."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roilearn.train.held_out import choose_held_out

CLASSES = st.lists(st.sets(st.integers(1, 6), max_size=3), min_size=2, max_size=40)


@given(CLASSES, st.integers(0, 9))
def test_no_class_leaves_the_images_to_train_on(classes, seed):
    held_out = choose_held_out(classes, 0.1, seed)
    assert len(set(held_out)) == len(held_out) >= 1
    assert len(held_out) <= max(len(classes) // 2, 1)
    others = set(range(len(classes))) - set(held_out)
    everywhere = Counter(label for each in classes for label in each)
    trained_on = {label for index in others for label in classes[index]}
    if len(held_out) > 1:
        assert trained_on == set(everywhere)


@given(st.integers(0, 99))
def test_a_rare_class_of_two_images_is_on_both_sides(seed):
    classes = [{1}] * 27 + [{1, 2}] * 2 + [{3}]
    held_out = choose_held_out(classes, 0.1, seed)
    assert len(held_out) == 3
    assert len({27, 28} & set(held_out)) == 1
    assert 29 not in held_out  # the only image of its class


def test_it_is_drawn_anew_with_another_seed_and_alike_with_the_same():
    classes = [{1}, {2}] * 20
    drawn = [tuple(choose_held_out(classes, 0.1, seed)) for seed in range(8)]
    assert len(set(drawn)) > 4
    assert drawn[3] == tuple(choose_held_out(classes, 0.1, 3))
    assert {len(each) for each in drawn} == {4}


@pytest.mark.parametrize(("images", "wanted"), [(2, 1), (12, 1), (20, 2), (100, 10)])
def test_a_tenth_and_at_least_one(images, wanted):
    assert len(choose_held_out([{1}] * images, 0.1, 0)) == wanted
