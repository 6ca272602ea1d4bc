"""What an accelerator gets, here on the processor: the same views and steps, all of it fit to record."""

from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from dlre_core.augmentation.stiffness_views import locate_stiffness, with_stiffness
from dlre_core.augmentation.views import apply_transforms, draw_views
from dlre_core.augmentation.views_on_device import put_on_device, view_parameters, views_on_device
from dlre_core.foundation.errors import TrainingError
from dlre_core.foundation.picture_store import open_rois, write_rois
from dlre_core.training import checkpoints, network_training
from dlre_core.training.epoch_loops import OnAccelerator, Training, learn
from dlre_core.training.network_training import train_networks
from dlre_core.training.recorded_steps import DeviceSteps
from dlre_core.training.settings import Question, one_cycle
from tests.helpers.small_training import AUGMENTATION, QUICK, batch_source, easy_images, same

TURNED = {"shift_pixels": 5, "rotation_degrees": 25, "scale": 0.2, "flip_horizontal": True}
VIEWS = {
    "turned": TURNED,
    "whole pixels": AUGMENTATION,
    "jitter": TURNED | {"contrast": 0.3, "brightness": 0.1},
    "stiffness": TURNED | {"stiffness": 0.3},
}


def pictures(n=8):
    return np.random.default_rng(6).integers(0, 256, (n, 250, 250, 3), dtype=np.uint8)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("views", VIEWS)
def test_views_of_an_accelerator_are_those_of_the_processor(device, views):
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU here")
    images, indices = pictures(), np.array([5, 0, 7, 0])
    drawn = draw_views(np.random.default_rng(4), 4, **VIEWS[views])
    shown, source = images, indices
    if drawn.stiffness is not None:
        shown = with_stiffness(images, locate_stiffness(images), indices, drawn.stiffness)
        source = np.arange(4)
    expected = np.empty((4, 250, 250, 3), np.float32)
    apply_transforms(shown, source, drawn.transforms, expected, jitter=drawn.jitter)
    resident = put_on_device(images, torch.device(device), stiffness_views=views == "stiffness")
    parameters = view_parameters(resident, indices, drawn)
    there = views_on_device(resident, {name: p.to(device) for name, p in parameters.items()})
    assert there.is_contiguous(memory_format=torch.channels_last)
    found = there.permute(0, 2, 3, 1).cpu().numpy()
    if device == "cpu":
        assert np.array_equal(found, expected)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_stored_squares_reach_the_device_as_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr("dlre_core.augmentation.views_on_device.READ_AT_ONCE", 3)
    images = pictures()
    write_rois(tmp_path / "rois.h5", [f"{i:016x}" for i in range(8)], images)
    chosen = np.array([5, 0, 7, 2])
    with open_rois(tmp_path / "rois.h5") as store:
        stored = put_on_device(store.squares(chosen), torch.device("cpu"), stiffness_views=True)
    held = put_on_device(images[chosen], torch.device("cpu"), stiffness_views=True)
    assert np.array_equal(stored.pictures.numpy(), images[chosen])
    assert torch.equal(stored.positions, held.positions)
    assert np.array_equal(stored.opacity, held.opacity)
    assert stored.positions.is_contiguous()


def test_views_of_another_stiffness_need_positions():
    resident = put_on_device(pictures(), torch.device("cpu"), stiffness_views=False)
    indices, drawn = batch_source(pictures(), np.arange(8) % 2, augmentation=VIEWS["stiffness"]).draws.of_epoch(0, 1)
    with pytest.raises(ValueError, match="without their positions"):
        views_on_device(resident, view_parameters(resident, indices, drawn))


@pytest.fixture(scope="module")
def data():
    torch.set_num_threads(1)
    images, labels = easy_images(32, np.random.default_rng(1))
    stopping = np.arange(32) >= 24
    drawn = np.linspace(0.5, 1.5, 32)
    questions = [Question(f"n{k}", np.roll(labels, k), k, drawn) for k in (0, 1)]
    return images, questions, stopping


@pytest.fixture(params=["cpu", "cuda"])
def device(request):
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU here")
    return request.param


def on_accelerator(device, trainings, rois, located):
    return OnAccelerator(put_on_device(rois, device, stiffness_views=True))


@pytest.fixture
def accelerated(monkeypatch):
    """The accelerator's way on the processor, and rates that both ways hold exactly: there they are float32."""

    def start():
        monkeypatch.setattr(network_training, "epochs_on", on_accelerator)

    def rounded(*arguments):
        return one_cycle(*arguments).astype(np.float32).astype(np.float64)

    monkeypatch.setattr(network_training, "one_cycle", rounded)
    return start


@pytest.mark.parametrize("balance", ["augmentation", "weights"])
@pytest.mark.parametrize("networks", [1, 2])
def test_steps_of_an_accelerator_are_those_of_the_processor(data, accelerated, networks, balance):
    images, questions, stopping = data
    settings = replace(QUICK, balance=balance, augmentation=VIEWS["stiffness"] | {"contrast": 0.2})
    here, there = [], []
    for trained in (here, there):
        trained += train_networks(images, questions[:networks], stopping, settings, patients=24)
        accelerated()
    for one, other in zip(here, there, strict=True):
        assert same(one.weights, other.weights)
        for name in ("loss", "stopping_loss", "auc"):
            assert [row[name] for row in one.history] == [row[name] for row in other.history]
    assert here[0].history[0]["loss"] != here[0].history[1]["loss"]


def test_killed_on_an_accelerator_it_goes_on_to_the_same_weights(data, accelerated, device, tmp_path, monkeypatch):
    accelerated()
    settings = replace(QUICK, device=device)
    whole = train_networks(*data, settings, patients=24)
    save, checkpoint = checkpoints.save_checkpoint, tmp_path / "state.safetensors"

    def killed(*arguments):
        save(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(network_training, "save_checkpoint", killed)
    with pytest.raises(KeyboardInterrupt):
        train_networks(*data, settings, patients=24, checkpoint=checkpoint)
    monkeypatch.setattr(network_training, "save_checkpoint", save)
    assert any("exp_avg" in name for name in load_file(checkpoint))
    resumed = train_networks(*data, settings, patients=24, checkpoint=checkpoint)
    for one, other in zip(whole, resumed, strict=True):
        assert same(one.weights, other.weights)


def test_networks_that_have_ended_take_no_more_steps(data, device):
    images, questions, stopping = data
    networks = [Training(images, q, stopping, QUICK, torch.device(device)) for q in questions]
    epochs = OnAccelerator(put_on_device(images, torch.device(device), stiffness_views=False))
    rates = np.full(5, 0.001)
    assert len(epochs.train(networks, 1, rates)) == 2
    ended, going = (network.network.output.weight.clone() for network in networks)
    assert len(epochs.train(networks[1:], 2, rates)) == 1
    assert torch.equal(networks[0].network.output.weight, ended)
    assert not torch.equal(networks[1].network.output.weight, going)


def weights_after(data, steps_made, records, monkeypatch):
    """Weights after so many steps of two networks, with CUDA's recording played by the processor."""
    images, questions, stopping = data
    networks = [Training(images, q, stopping, QUICK, torch.device("cpu")) for q in questions]
    resident = put_on_device(images, torch.device("cpu"), stiffness_views=False)
    steps = DeviceSteps(
        resident,
        [network.draws for network in networks],
        [network.optimiser for network in networks],
        partial(learn, networks),
    )
    compute, recordings = steps.compute, []

    class Graph:
        def replay(self):
            assert recordings == [self]
            compute()

    @contextmanager
    def recording(graph, stream):
        # What is recorded is not computed.
        recordings.append(graph)
        monkeypatch.setattr(steps, "compute", lambda: None)
        yield
        monkeypatch.setattr(steps, "compute", None)

    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", recording)
    monkeypatch.setattr(torch.cuda, "device", lambda _: nullcontext())
    monkeypatch.setattr(steps, "compute_aside", compute)
    steps.recordable = records
    rates = np.full(steps_made, 0.001)
    losses = [steps.epoch(epoch, rates) for epoch in (1, 2)]
    assert len(recordings) == int(records)
    return losses, [network.network.state_dict() for network in networks]


def test_making_a_recording_makes_no_step(data, monkeypatch):
    plain, recorded = (weights_after(data, 5, records, monkeypatch) for records in (False, True))
    assert plain[0] == recorded[0]
    for one, other in zip(plain[1], recorded[1], strict=True):
        assert same(one, other)


def test_every_epoch_has_draws_of_its_own(data):
    images, questions, stopping = data
    networks = [Training(images, q, stopping, QUICK, torch.device("cpu")) for q in questions]
    epochs = OnAccelerator(put_on_device(images, torch.device("cpu"), stiffness_views=False))
    for number in (1, 2, 5):
        epochs.train(networks, number, np.full(2, 0.001))
        expected = [network.draws.of_epoch(number, 2)[0].reshape(2, -1) for network in networks]
        found = epochs.steps.parameters["indices"].numpy()
        assert np.array_equal(found, np.concatenate(expected, axis=1))


class OnTheDeviceOnly(TorchDispatchMode):
    """Refuses what cannot be recorded: a question to the device, or a tensor that comes from the host."""

    def __init__(self):
        super().__init__()
        self.operations = 0

    def __torch_dispatch__(self, operation, types, given=(), named=None):
        found = operation(*given, **(named or {}))
        tensors = [t for t in pytree.tree_leaves((given, named, found)) if isinstance(t, torch.Tensor)]
        places = {tensor.device.type for tensor in tensors}
        assert places <= {"meta"}, f"{operation} has tensors on {sorted(places)}"
        self.operations += 1
        return found


class Still(torch.optim.SGD):
    """In place of the fused optimiser, which has no version without memory; PyTorch promises that it records."""

    def step(self):
        assert all(p.grad is not None for group in self.param_groups for p in group["params"])


def prepared_steps(data, monkeypatch, learn_how):
    """Steps whose tensors have a shape and a device, but no memory, so that nothing can be read back."""
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())
    images, questions, stopping = data
    settings = replace(QUICK, balance="weights", augmentation=VIEWS["stiffness"])
    device = torch.device("meta")
    networks = [Training(images, question, stopping, settings, device) for question in questions]
    for network in networks:
        network.optimiser = Still(network.network.parameters(), 0.1)
    resident = put_on_device(images, device, stiffness_views=True)
    optimisers = [network.optimiser for network in networks]
    draws = [network.draws for network in networks]
    steps = DeviceSteps(resident, draws, optimisers, lambda *batch: learn_how(networks, *batch))
    steps.load(steps.drawn(1, 3) | {"rates": torch.zeros(3)})
    return steps


def test_a_step_can_be_recorded(data, monkeypatch):
    steps = prepared_steps(data, monkeypatch, learn)
    with OnTheDeviceOnly() as seen:
        steps.compute()
    assert seen.operations > 100


@pytest.mark.parametrize("mistake", [lambda losses: losses * torch.ones(2), lambda losses: losses * float(losses[0])])
def test_a_step_that_cannot_be_recorded_is_seen(data, monkeypatch, mistake):
    steps = prepared_steps(data, monkeypatch, lambda *given: mistake(learn(*given)))
    with pytest.raises((AssertionError, RuntimeError), match=r"cpu|item\(\) cannot be called"), OnTheDeviceOnly():
        steps.compute()


def test_a_full_device_is_named(data, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(network_training, "epochs_on", full)
    with pytest.raises(TrainingError, match="memory of cpu is too small") as caught:
        train_networks(*data, QUICK, patients=24)
    assert "training.device" in caught.value.remedy
