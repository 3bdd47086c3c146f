"""Configurations that cannot be used."""

from __future__ import annotations

import pytest

from penpal_fast import ModelConfig, PenpalError


@pytest.mark.parametrize("epsilon", [1e-300, 1e-13, 2.0, 0.0])
def test_epsilons_out_of_range_are_refused(epsilon):
    with pytest.raises(PenpalError, match="batch_norm_epsilon must be from 1e-12 to 1"):
        ModelConfig(batch_norm_epsilon=epsilon)


@pytest.mark.parametrize("depth", [990, 100_000])
def test_a_configuration_nested_hundreds_of_times_is_refused(depth):
    text = b'{"canvas": ' + b"[" * depth + b"]" * depth + b"}"
    with pytest.raises(PenpalError, match=r"canvas must be a value like 256|cannot read the model configuration"):
        ModelConfig.from_json(text, source="config.json")


def test_a_configuration_of_many_layers_is_refused_at_once():
    with pytest.raises(PenpalError, match="channels must be 2 to 64 numbers") as caught:
        ModelConfig(channels=(1,) * 500_000)
    assert len(str(caught.value)) < 500
