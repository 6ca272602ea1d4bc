"""Networks of several kinds: what they are made of, what they see, and that serving gives the same answers."""

import json
import sys
from dataclasses import dataclass

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from dlre_core.foundation.errors import ConfigurationError
from dlre_core.network.fibrosis_network import LEAST_KPA, StiffnessNetwork
from dlre_core.network.grad_cam import grad_cam
from dlre_core.network.inference import picture_probabilities
from dlre_core.network.kinds import (
    NetworkKind,
    kind_of_file,
    load_network,
    make_network,
    network_class,
    network_of,
    takes_stiffness,
)
from dlre_core.network.onnx_export import exported_model, exported_networks

GENERATOR = np.random.default_rng(3)
STIFFNESS = np.array([4.0, 20.0, np.nan])
MODULE = "networks_of_a_user"


def pictures(channels=3, n=3):
    return GENERATOR.integers(0, 256, (n, 250, 250, channels), dtype=np.uint8)


class Small(nn.Module):
    """A user's network, with a normalisation that remembers the batches it has seen."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(channels, 8, 5, 5), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(2))
        self.last = nn.Linear(32, 1)

    def forward(self, images):
        return self.last(self.layers(images).flatten(1))


@pytest.fixture(autouse=True)
def users_module(monkeypatch):
    @dataclass
    class Module:
        Small = Small
        word = "no class"

    monkeypatch.setitem(sys.modules, MODULE, Module)


KINDS = [
    NetworkKind("dlre_lsm"),
    NetworkKind("residual"),
    NetworkKind("dlre_lsm", "square+bmode"),
    NetworkKind(f"{MODULE}:Small", "bmode"),
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.network} {kind.input}")
def test_what_is_served_is_what_was_trained(kind, tmp_path):
    networks = {name: make_network(kind, seed).eval() for seed, name in enumerate(("f4", "ge_f2"))}
    with torch.no_grad():
        for network in networks.values():
            for parameter in network.parameters():
                parameter.add_(0.02)
    seen = pictures(kind.channels)
    model = exported_model(networks, kind)
    assert model == exported_model(networks, kind)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    given = {"IMAGE": seen, "STIFFNESS": STIFFNESS.astype(np.float32)[:, None]}
    (found,) = session.run(None, {entry.name: given[entry.name] for entry in session.get_inputs()})
    expected = np.column_stack([picture_probabilities(network, seen, STIFFNESS) for network in networks.values()])
    np.testing.assert_allclose(found, expected, atol=1e-5)
    # One picture at a time, as Triton's program asks on a processor.
    one = {entry.name: given[entry.name][1:2] for entry in session.get_inputs()}
    np.testing.assert_allclose(session.run(None, one)[0], expected[1:2], atol=1e-5)
    save_file(
        networks["f4"].state_dict(),
        tmp_path / "f4.safetensors",
        metadata={"provenance": json.dumps({"kind": kind.words})},
    )
    assert kind_of_file(tmp_path / "f4.safetensors") == kind
    again = picture_probabilities(load_network(tmp_path / "f4.safetensors"), seen, STIFFNESS)
    np.testing.assert_array_equal(again, expected[:, 0])


def test_weights_come_back_from_a_served_graph_that_still_has_them():
    kind = NetworkKind("dlre_lsm")
    networks = {"cacld": make_network(kind, 1).eval()}
    networks["cacld"].learn_scale(STIFFNESS)
    back = exported_networks(exported_model(networks, kind), kind)
    for name, value in networks["cacld"].state_dict().items():
        assert torch.equal(back["cacld"].state_dict()[name], value)
    users = NetworkKind(f"{MODULE}:Small")
    # Convolution and normalisation are one layer there.
    assert exported_networks(exported_model({"cacld": make_network(users, 1).eval()}, users), users) is None


def test_stiffness_joins_by_its_standardised_logarithm():
    network = make_network(NetworkKind("dlre_lsm"), 0).eval()
    measured = np.array([5.0, 5.0, 10.0, 20.0, np.nan])
    network.learn_scale(measured)
    known = np.log(measured[:4])
    seen, stiffness = pictures(n=4), np.array([3.0, 12.0, np.nan, 0.0])
    # Before training stiffness says nothing, whether it is known or not.
    silent = picture_probabilities(network, seen, stiffness)
    np.testing.assert_array_equal(silent, picture_probabilities(network, seen, np.full(4, np.nan)))
    with torch.no_grad():
        network.output.weight[:, -2:] = torch.tensor([[1.5, -0.4]])
    found = picture_probabilities(network, seen, stiffness)
    joined = [1.5 * (np.log(kpa) - known.mean()) / known.std() for kpa in (3.0, 12.0)]
    joined += [-0.4, 1.5 * (np.log(LEAST_KPA) - known.mean()) / known.std()]
    logits = np.log(silent / (1 - silent)) + joined
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-logits)), atol=2e-6)


def test_seeds_decide_whatever_else_is_drawn():
    for kind in (*KINDS, NetworkKind()):
        first = make_network(kind, 5).state_dict()
        torch.rand(7)
        second, other = make_network(kind, 5).state_dict(), make_network(kind, 6).state_dict()
        assert all(torch.equal(first[name], second[name]) for name in first)
        assert not all(torch.equal(first[name], other[name]) for name in first)


def test_channels_follow_the_input_and_metadata_stay_away_from_the_papers_network():
    assert [NetworkKind(input=name).channels for name in ("square", "stiffness", "bmode", "square+bmode")] == [
        3,
        3,
        3,
        6,
    ]
    assert NetworkKind().words == {}
    assert NetworkKind.trained(None) == NetworkKind.trained({"provenance": "{}"}) == NetworkKind.of({}) == NetworkKind()
    assert takes_stiffness(StiffnessNetwork)
    assert not takes_stiffness(make_network(NetworkKind("residual"), 0))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("resnet", "no network 'resnet'"),
        ("no_such_module:Net", "needs no_such_module"),
        (f"{MODULE}:word", "no network word"),
        (f"{MODULE}:Missing", "no network Missing"),
    ],
)
def test_a_network_that_is_not_there_is_named(name, words):
    with pytest.raises(ConfigurationError, match=words):
        network_class(name)


def test_a_class_that_takes_something_else_is_named(monkeypatch):
    monkeypatch.setattr(sys.modules[MODULE], "word", type("Two", (nn.Module,), {"__init__": lambda self, a, b: None}))
    with pytest.raises(ConfigurationError, match="cannot be made"):
        make_network(NetworkKind(f"{MODULE}:word"), 0)


def test_answers_do_not_depend_on_the_pictures_beside():
    for kind in KINDS:
        network, seen = make_network(kind, 2).eval(), pictures(kind.channels)
        alone = np.concatenate(
            [picture_probabilities(network, seen[i : i + 1], STIFFNESS[i : i + 1]) for i in range(3)]
        )
        np.testing.assert_allclose(picture_probabilities(network, seen, STIFFNESS), alone, atol=1e-6)


def test_every_kind_has_heat_maps():
    for kind in KINDS:
        heat = grad_cam(make_network(kind, 2).eval(), pictures(kind.channels)[0], 7.5)
        assert heat.shape == (250, 250)
        assert heat.min() >= 0
        assert heat.max() <= 1


def test_other_weights_are_refused():
    with pytest.raises(RuntimeError, match=r"size mismatch|Missing key"):
        network_of({"convolutions.0.weight": np.zeros((16, 3, 3, 3), np.float32)}, NetworkKind())
