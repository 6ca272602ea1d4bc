"""The fused pooling gives PyTorch's own values and gradients, bit for bit."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from dlre_core.network.fibrosis_network import new_network
from dlre_core.network.pooling import pool_relu


def channels_last(bits, shape):
    n, channels, height, width = shape
    values = torch.from_numpy(bits.astype(np.int16)).view(torch.bfloat16)
    return values.reshape(n, height, width, channels).permute(0, 3, 1, 2)


def plain(maps):
    return functional.relu(functional.max_pool2d(maps, 2))


def both(maps, gradient):
    """Values and gradients of the fused and of PyTorch's way."""
    results = []
    for way in (pool_relu, plain):
        leaf = maps.detach().clone(memory_format=torch.preserve_format).requires_grad_()
        pooled = way(leaf)
        pooled.backward(gradient)
        results.append((pooled.detach(), leaf.grad))
    return results


@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 2), st.sampled_from([1, 5, 16, 32]), st.integers(2, 7), st.integers(2, 7)),
    kinds=st.sampled_from([3, 40, 65536]),
)
@settings(max_examples=60, deadline=None)
def test_values_and_gradients_are_pytorchs(seed, shape, kinds):
    generator = np.random.default_rng(seed)
    # Few kinds of value make many ties; all 65,536 have infinities and numbers too small to be normal.
    alphabet = generator.integers(-(2**15), 2**15, kinds)
    # PyTorch takes the last not-a-number of a square, we the first: values agree, gradients are nonsense.
    alphabet = np.where((alphabet & 0x7FFF) > 0x7F80, 0, alphabet)
    maps = channels_last(generator.choice(alphabet, np.prod(shape)), shape)
    gradient = torch.randn(plain(maps).shape, generator=torch.Generator().manual_seed(seed)).bfloat16()
    (ours, our_gradient), (theirs, their_gradient) = both(maps, gradient)
    assert torch.equal(ours, theirs)
    assert torch.equal(our_gradient, their_gradient)
    assert ours.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("bits", [0x7FC0, 0xFFC0 - 0x10000])
def test_a_not_a_number_of_either_sign_is_kept(bits):
    values = np.full(16 * 4, 0x3F80)
    values[16] = bits
    pooled = pool_relu(channels_last(values, (1, 16, 2, 2)))
    assert torch.isnan(pooled.flatten()[0])
    assert not torch.isnan(pooled.flatten()[1:]).any()


def test_a_training_step_of_the_network_has_the_same_bits(monkeypatch):
    images = torch.rand(2, 250, 250, 3, generator=torch.Generator().manual_seed(1)) - 0.5
    gradients = []
    for way in (pool_relu, plain):
        monkeypatch.setattr("dlre_core.network.fibrosis_network.pool_relu", way)
        network = new_network(1).to(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = network(images.permute(0, 3, 1, 2))
        logits.float().sum().backward()
        gradients.append([parameter.grad for parameter in network.parameters()])
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(*gradients, strict=True))
