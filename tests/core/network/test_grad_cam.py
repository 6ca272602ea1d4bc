"""Heat lies where a network's answer comes from."""

import numpy as np
import torch

from dlre_core.network.fibrosis_network import new_network
from dlre_core.network.grad_cam import grad_cam


def test_heat_speaks_for_the_answer_whichever_it_is():
    network = new_network(3).eval()
    picture = np.random.default_rng(1).integers(0, 256, (250, 250, 3), dtype=np.uint8)
    heat = grad_cam(network, picture)
    assert heat.shape == (250, 250)
    assert 0 <= heat.min() <= heat.max() <= 1
    mirrored = new_network(3).eval()
    with torch.no_grad():
        mirrored.output.weight.neg_()
        mirrored.output.bias.neg_()
    # The same picture with the opposite answer: what speaks for the answer stays the same.
    assert np.allclose(grad_cam(mirrored, picture), heat, atol=1e-6)


def test_heat_lies_where_the_answer_comes_from():
    network = new_network(3).eval()
    with torch.no_grad():
        for convolution in network.convolutions:
            convolution.weight.zero_()
            convolution.weight[0, 0, 1, 1] = 1.0
        network.hidden.weight.zero_()
        network.hidden.weight[0, : 15 * 15] = 1.0
        network.output.weight.fill_(1.0)
    picture = np.zeros((250, 250, 3), dtype=np.uint8)
    picture[40:80, 160:200] = 255
    heat = grad_cam(network, picture)
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    assert 35 <= row <= 90
    assert 155 <= column <= 215
    assert heat[200:, :100].max() == 0
