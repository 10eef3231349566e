"""The optimizer: which parameters have weight decay."""

from dataclasses import replace

from toy_training import SETTINGS, Toy

from roilearn.train.optimizer import make_optimizer


def test_weight_decay_is_for_tensors_of_more_than_one_dimension():
    model = Toy()
    model.layers[4].requires_grad_(False)
    decayed, other = make_optimizer(model, replace(SETTINGS, weight_decay=0.3)).param_groups
    assert [each.ndim for each in decayed["params"]] == [4]
    assert {each.ndim for each in other["params"]} == {1}
    assert len(other["params"]) == 3
    assert (decayed["weight_decay"], other["weight_decay"]) == (0.3, 0)
