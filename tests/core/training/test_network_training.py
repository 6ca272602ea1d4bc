"""The loop learns, repeats bit for bit, resumes to the same bytes, and never looks at validation."""

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.errors import StoreMismatch, TrainingError
from dlre_core.foundation.picture_store import StoredSquares
from dlre_core.network.fibrosis_network import FibrosisNetwork, new_network
from dlre_core.network.inference import picture_probabilities
from dlre_core.network.joint_pass import joint_logits
from dlre_core.network.kinds import NetworkKind, kind_of_file, load_network, network_class
from dlre_core.patients.splits import select_images
from dlre_core.training import checkpoints
from dlre_core.training.checkpoints import Progress
from dlre_core.training.network_training import train_networks
from dlre_core.training.settings import Question, TrainingSettings, choose_device
from tests.helpers.arm_study import study, train
from tests.helpers.small_training import AUGMENTATION, QUICK, batch_source, easy_images, same

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def data():
    torch.set_num_threads(1)
    images, labels = easy_images(32, np.random.default_rng(1))
    return images, labels, np.arange(32) >= 24


def learn(images, labels, stopping, settings, *, stream, patients, **options):
    """One network, every image drawn alike."""
    question = Question("network", labels, stream, np.ones(len(labels)))
    return train_networks(images, [question], stopping, settings, patients=patients, **options)[0]


def test_the_network_is_the_papers():
    network = FibrosisNetwork()
    shapes = [tuple(layer.weight.shape) for layer in network.convolutions]
    assert shapes == [(16, 3, 3, 3), (32, 16, 3, 3), (32, 32, 3, 3), (32, 32, 3, 3)]
    assert network.hidden.weight.shape == (32, 32 * 15 * 15)
    assert network.output.weight.shape == (1, 32)


def test_jitter_reaches_the_batches_and_moves_nothing_else(data):
    images, labels, _ = data
    (plain, targets, _), (changed, same_targets, _) = (
        next(batch_source(images, labels, augmentation=augmentation).batches(0, 1))
        for augmentation in (AUGMENTATION, AUGMENTATION | {"contrast": 0.4})
    )
    assert torch.equal(targets, same_targets)
    assert plain.dtype == changed.dtype == torch.bfloat16
    plain, changed = plain.float(), changed.float()
    gains = (changed / plain).flatten(1).median(dim=1).values
    assert 0.6 <= gains.min() < 0.95 < 1.05 < gains.max() <= 1.4
    expected = (plain * gains[:, None, None, None]).clamp(-0.5, 0.5)
    # Both were rounded to bfloat16, whose steps below 0.5 are 1 / 512.
    torch.testing.assert_close(changed, expected, atol=2.4 / 1024, rtol=0)


def test_pooling_before_relu_is_relu_before_pooling():
    network = new_network(3)
    image = torch.randn(2, 3, 250, 250, generator=torch.Generator().manual_seed(0))
    maps = image
    for convolution in network.convolutions:
        maps = torch.nn.functional.max_pool2d(torch.relu(convolution(maps)), 2)
    expected = network.output(torch.relu(network.hidden(maps.flatten(1)))).squeeze(1)
    assert torch.equal(network(image), expected)


def test_it_learns_a_texture_and_repeats_bit_for_bit(data):
    first = learn(*data, QUICK, stream=1, patients=24)
    second = learn(*data, QUICK, stream=1, patients=24)
    assert same(first.weights, second.weights)
    assert [row["loss"] for row in first.history] == [row["loss"] for row in second.history]
    assert not same(first.weights, learn(*data, QUICK, stream=2, patients=24).weights)
    settings = TrainingSettings(**{**QUICK.__dict__, "minimum_steps": 40, "maximum_steps": 40})
    trained = learn(*data, settings, stream=1, patients=24)
    network = FibrosisNetwork()
    network.load_state_dict(trained.weights)
    images, labels = easy_images(16, np.random.default_rng(99))
    assert ((picture_probabilities(network, images) > 0.5) == labels).mean() > 0.9


def test_a_killed_training_goes_on_to_the_same_weights(data, tmp_path, monkeypatch):
    whole = learn(*data, QUICK, stream=1, patients=24)
    checkpoint = tmp_path / "state.safetensors"
    done = []

    class Killed(Exception):
        pass

    def killed_after_first(*arguments):
        checkpoints.save_checkpoint(*arguments)
        done.append(1)
        raise Killed

    monkeypatch.setattr("dlre_core.training.network_training.save_checkpoint", killed_after_first)
    with pytest.raises(Killed):
        learn(*data, QUICK, stream=1, patients=24, checkpoint=checkpoint)
    monkeypatch.undo()
    resumed = learn(*data, QUICK, stream=1, patients=24, checkpoint=checkpoint)
    assert done == [1]
    assert same(whole.weights, resumed.weights)
    assert whole.chosen_epoch == resumed.chosen_epoch


def test_steps_follow_the_patients_within_bounds():
    settings = TrainingSettings(draws_per_patient=5, batch_size=16, epochs=18, minimum_steps=120, maximum_steps=1400)
    # 239 patients x 5 draws / 16 = 75 steps per epoch; few patients get the minimum, many the maximum.
    assert settings.steps_per_epoch(239) == 75
    assert settings.steps_per_epoch(6) == 7
    assert settings.steps_per_epoch(4000) == 78


def test_networks_in_one_pass_are_the_networks_one_by_one():
    networks = [new_network(seed) for seed in (1, 2, 3)]
    generator = torch.Generator().manual_seed(0)
    images = [torch.rand(4, 3, 250, 250, generator=generator) - 0.5 for _ in networks]
    images = [part.contiguous(memory_format=torch.channels_last) for part in images]
    alone = [network(part) for network, part in zip(networks, images, strict=True)]
    gradients = [
        torch.autograd.grad(own.square().sum(), list(network.parameters()))
        for own, network in zip(alone, networks, strict=True)
    ]
    joint = joint_logits(networks, images)
    torch.testing.assert_close(joint, torch.stack(alone))
    joint.square().sum().backward()
    for network, expected in zip(networks, gradients, strict=True):
        for parameter, gradient in zip(network.parameters(), expected, strict=True):
            torch.testing.assert_close(parameter.grad, gradient, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("number", [1, 3])
def test_bfloat16_gradients_are_those_of_float32(device, number):
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU here")
    generator = torch.Generator().manual_seed(0)
    images = [torch.rand(16, 3, 250, 250, generator=generator) - 0.5 for _ in range(number)]
    images = [part.contiguous(memory_format=torch.channels_last) for part in images]
    exact, rounded = ([new_network(seed) for seed in range(number)] for _ in range(2))
    joint_logits(exact, images).square().sum().backward()
    for network in rounded:
        network.to(device, memory_format=torch.channels_last)
    with torch.autocast(device, dtype=torch.bfloat16):
        logits = joint_logits(rounded, [part.to(device) for part in images])
    logits.float().square().sum().backward()
    for one, other in zip(exact, rounded, strict=True):
        for (name, expected), found in zip(one.named_parameters(), other.parameters(), strict=True):
            given, wanted = found.grad.cpu().flatten(), expected.grad.flatten()
            # Rounding noise is largest in the first layer, where a million pixels with both signs are added up.
            assert torch.cosine_similarity(given, wanted, dim=0) > 0.97, name
            assert float(given.norm() / wanted.norm()) == pytest.approx(1, abs=0.06), name


def test_arms_trained_in_one_pass_repeat_and_are_like_those_one_by_one(tmp_path, monkeypatch):
    """What a GPU gets, here on the processor; an epoch of two steps leaves no room for chaos."""
    alone = study(tmp_path / "alone", 0)
    train(alone)
    monkeypatch.setattr("dlre_core.training.arm_training.trains_together", lambda settings: True)
    first, second = study(tmp_path / "first", 0), study(tmp_path / "second", 0)
    assert train(first) == train(second)
    histories = [read_table(folder / "history.csv") for folder in (alone, first)]
    for name in ("loss", "stopping_loss"):
        np.testing.assert_allclose(histories[0][name], histories[1][name], rtol=0.02)
    # Two steps have the rates 0.00012 and 0, and AdamW moves a weight by the rate; which way, bfloat16's rounding
    # decides.
    for stage in ("f4", "ge_f3", "ge_f2"):
        one, other = (load_file(folder / f"{stage}.safetensors") for folder in (alone, first))
        assert max(float((one[name] - other[name]).abs().max()) for name in one) < 3e-4


def test_killed_networks_in_one_pass_go_on_to_the_same_weights(data, tmp_path, monkeypatch):
    images, labels, stopping = data
    questions = [Question(f"n{k}", np.roll(labels, k), k, np.ones(len(labels))) for k in (0, 1)]
    whole = train_networks(images, questions, stopping, QUICK, patients=24)
    save, checkpoint = checkpoints.save_checkpoint, tmp_path / "state.safetensors"

    def killed(*arguments):
        save(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr("dlre_core.training.network_training.save_checkpoint", killed)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            train_networks(images, questions, stopping, QUICK, patients=24, checkpoint=checkpoint)
    monkeypatch.undo()
    resumed = train_networks(images, questions, stopping, QUICK, patients=24, checkpoint=checkpoint)
    for one, other in zip(whole, resumed, strict=True):
        assert same(one.weights, other.weights)
        assert [row["loss"] for row in one.history] == [row["loss"] for row in other.history]


def test_one_class_only_is_refused(data):
    images, labels, stopping = data
    with pytest.raises(TrainingError, match="1 of 2 classes"):
        learn(images, np.zeros_like(labels), stopping, QUICK, stream=1, patients=24)


@pytest.mark.parametrize(
    ("losses", "epochs", "best", "finished"),
    [
        ([3, 2, 1], 3, 3, True),
        ([3, 2, 1], 9, 3, False),
        ([9, 1, 2, 3], 9, 2, True),
        ([9, 1, 2], 9, 2, False),
        ([0, 2, 3, 1], 9, 4, False),
        ([0], 9, 0, False),
    ],
)
def test_termination_counts_from_the_minimum_epoch(losses, epochs, best, finished):
    progress = checkpoints.Progress()
    for loss in losses:
        progress.add({"stopping_loss": loss}, new_network(0), minimum_epochs=2)
    assert progress.best_epoch == best
    assert progress.finished(epochs, patience_epochs=2) is finished


def test_validation_pictures_never_influence_the_weights(tmp_path):
    dark, bright = (train(study(tmp_path / str(value), value)) for value in (0, 255))
    assert dark == bright
    with safe_open(tmp_path / "0" / "f4.safetensors", framework="pt") as file:
        assert '"training_patients": 17' in file.metadata()["provenance"]
    history = read_table(tmp_path / "0" / "history.csv")
    assert set(history["stage"]) == {"f4", "ge_f3", "ge_f2"}
    assert history.groupby("stage")["chosen"].sum().eq(1).all()
    assert not list((tmp_path / "0" / "checkpoints").glob("*"))


@pytest.mark.parametrize("memory_mb", [8, 7])
def test_cuda_repeats_bit_for_bit(tmp_path, memory_mb, monkeypatch):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    folders = [study(tmp_path / name, 0) for name in ("one", "two")]
    first, second = (train(folder, 3, device="cuda", stiffness=0.3, memory_mb=memory_mb) for folder in folders)
    assert first == second
    # A killed job's first steps are not replayed where an uninterrupted one's are.
    monkeypatch.setattr("dlre_core.training.recorded_steps.STEPS_BEFORE_RECORDING", 10**9)
    assert first == train(study(tmp_path / "three", 0), 3, device="cuda", stiffness=0.3, memory_mb=memory_mb)
    histories = [(folder / "history.csv").read_bytes() for folder in folders]
    assert histories[0] == histories[1]


def test_a_device_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (8, 0))
    assert choose_device("cuda").type == "cuda"
    with pytest.raises(TrainingError, match="device is cuda:1"):
        choose_device("cuda:1")


@pytest.mark.parametrize(("capability", "taken"), [((9, 0), "cuda"), ((7, 5), "cpu")])
def test_a_gpu_without_bfloat16_is_not_taken(monkeypatch, capability, taken):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    assert choose_device("auto").type == taken
    if taken == "cpu":
        with pytest.raises(TrainingError, match="does not compute in bfloat16"):
            choose_device("cuda:0")


def test_a_checkpoint_that_a_power_cut_spoiled_begins_anew(data, tmp_path):
    whole = learn(*data, QUICK, stream=1, patients=24)
    checkpoint = tmp_path / "spoiled.safetensors"
    checkpoint.write_bytes(b"")
    again = learn(*data, QUICK, stream=1, patients=24, checkpoint=checkpoint)
    assert same(whole.weights, again.weights)


def test_a_training_that_diverges_is_named(data):
    wild = replace(QUICK, learning_rate=1e30)
    with pytest.raises(TrainingError, match="network: training diverged in epoch"):
        learn(*data, wild, stream=1, patients=24)


def test_probabilities_near_1_are_not_rounded_off(data):
    network = new_network(0)
    with torch.no_grad():
        network.output.weight.zero_()
        network.output.bias.fill_(8.0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        (probability,) = picture_probabilities(network, data[0][:1])
    assert probability == pytest.approx(1 / (1 + np.exp(-8)), abs=1e-7)


def test_squares_read_when_drawn_give_the_same_weights(tmp_path, monkeypatch):
    folder = study(tmp_path / "held", 0)
    held = train(folder, stiffness=0.3)
    assert held != train(folder)
    shown = []
    read = StoredSquares.__getitem__
    monkeypatch.setattr(StoredSquares, "__getitem__", lambda self, chosen: shown.append(1) or read(self, chosen))
    # 17 squares of 188 kB are more than two fifths of 7 MB, and less than two fifths of 8.
    assert train(folder, memory_mb=8, stiffness=0.3) == held
    few = len(shown)
    assert train(folder, memory_mb=7, stiffness=0.3) == held
    assert len(shown) > few + 6


def test_the_first_images_in_acquisition_order_are_used():
    rois = pd.DataFrame({"hospital": "A", "patient": ["P1"] * 3, "acquisition": [3, 1, 2], "image_id": list("xyz")})
    split = pd.DataFrame({"hospital": ["A"], "patient": ["P1"], "fibrosis_stage": [4], "cohort": ["training"]})
    chosen = select_images(rois, split, 2)
    assert list(chosen["image_id"]) == ["y", "z"]
    assert list(chosen["index"]) == [1, 2]
    with pytest.raises(StoreMismatch, match="fewer than 4"):
        select_images(rois, split, 4)


KILLED = """
import sys
from pathlib import Path
from tests.helpers.arm_study import train
train(Path(sys.argv[1]), epochs=3)
"""


def test_a_job_killed_by_sigkill_ends_in_the_same_bytes(tmp_path):
    whole = train(study(tmp_path / "whole", 0), epochs=3)
    folder = study(tmp_path / "killed", 0)
    job = subprocess.Popen([sys.executable, "-c", KILLED, str(folder)], cwd=ROOT)
    try:
        # Killed somewhere in the second network: the first one's state is complete by then.
        wait_for(lambda: len(list(folder.glob("checkpoints/*.safetensors"))) > 1 or job.poll() is not None)
    finally:
        job.kill()
        job.wait()
    assert job.returncode == -signal.SIGKILL
    assert not (folder / "f4.safetensors").exists()
    assert train(folder, epochs=3) == whole
    assert (folder / "history.csv").read_bytes() == (tmp_path / "whole/history.csv").read_bytes()


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_weights_in_the_loss_make_up_for_a_rare_class():
    images, _ = easy_images(40, np.random.default_rng(2))
    # The first eight are half and half; of the rest only plain ones are taken: 4 of 32 have the texture.
    chosen = np.r_[0:8, 8:40:2]
    labels = np.arange(40)[chosen] % 2
    stopping = np.arange(len(chosen)) >= len(chosen) - 4
    stopping[[0, 1]] = True
    means = {}
    for balance in ("none", "weights"):
        # Slowly, so that how often each class counts decides, and not a lucky step.
        slow = {"learning_rate": 1e-4, "minimum_steps": 18, "maximum_steps": 18}
        settings = TrainingSettings(**{**QUICK.__dict__, **slow, "balance": balance})
        trained = learn(images[chosen], labels, stopping, settings, stream=3, patients=20)
        network = FibrosisNetwork()
        network.load_state_dict(trained.weights)
        means[balance] = picture_probabilities(network, images[chosen]).mean()
    assert means["weights"] > means["none"] + 0.15, means


@pytest.mark.parametrize("name", ["dlre_lsm", "residual"])
def test_other_networks_train_to_the_same_bytes_and_say_what_they_are(tmp_path, name):
    kind = NetworkKind(name)
    folder = study(tmp_path / "arm", 3)
    first = train(folder, kind=kind)
    assert first == train(study(tmp_path / "again", 3), kind=kind)
    assert first != train(study(tmp_path / "papers", 3))
    path = folder / "f4.safetensors"
    assert kind_of_file(path) == kind
    network = load_network(path)
    assert type(network) is network_class(name)
    if name == "dlre_lsm":
        # Of the pictures that are trained on, and of nobody else's.
        table = pd.read_csv(folder / "rois.csv").merge(pd.read_csv(folder / "split.csv"), on=["hospital", "patient"])
        known = np.log(table.loc[(table["cohort"] == "training") & (table["acquisition"] == 1), "q_box_mean_kpa"])
        mean, deviation = network.log_stiffness.tolist()
        assert abs(mean - known.mean()) < 0.5
        assert 0 < deviation < 1
        assert network.output.weight[0, -2] != 0
        assert network.output.weight[0, -1] == 0


def test_an_interrupted_training_of_another_network_goes_on_to_the_same_bytes(data, tmp_path):
    images, labels, stopping = data
    stiffness = np.where(labels == 1, 12.0, 5.0)

    def trained(epochs, checkpoint):
        question = Question("q", labels, 1, np.ones(len(labels)), NetworkKind(f"{__name__}:Normalised"), stiffness)
        settings = replace(QUICK, epochs=epochs)
        return train_networks(images, [question], stopping, settings, patients=24, checkpoint=checkpoint)[0]

    whole = trained(2, None)
    assert whole.weights["network.normalised.running_mean"].any()
    path = tmp_path / "checkpoint.safetensors"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Progress, "finished", lambda self, *limits: self.epochs_done >= 1)
        trained(2, path)
    resumed = trained(2, path)
    assert all(torch.equal(whole.weights[name], resumed.weights[name]) for name in whole.weights)


class Normalised(torch.nn.Module):
    """What batches it has seen is in no parameter."""

    def __init__(self, channels):
        super().__init__()
        self.convolution = torch.nn.Conv2d(channels, 4, 5, 25)
        self.normalised = torch.nn.BatchNorm2d(4)
        self.last = torch.nn.Linear(400, 1)

    def forward(self, images):
        return self.last(self.normalised(self.convolution(images)).flatten(1))
