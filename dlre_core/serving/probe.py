"""One picture whose answer is known: does a server read what it is given?"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from dlre_core.foundation.errors import ServerUnavailable
from dlre_core.foundation.study_terms import SQUARE_SHAPE
from dlre_core.serving.onnx_model import INPUT_NAME, MODEL_NAME
from dlre_core.serving.repository import LARGEST_DIFFERENCE, read_manifest


@dataclass(frozen=True)
class Probe:
    """A picture, (1, 250, 250, 3) uint8, and the probabilities, (1, 3), that belong to it."""

    images: np.ndarray
    probabilities: np.ndarray

    def check(self, found: np.ndarray, url: str) -> None:
        """Compare a server's answer with the network's own.

        Raises
        ------
        ServerUnavailable
            If a probability differs by more than 1e-5.
        """
        difference = float(np.abs(found - self.probabilities).max())
        if not difference <= LARGEST_DIFFERENCE:
            raise ServerUnavailable(
                f"The server at {url} reads pictures wrongly: its probabilities of a test picture "
                f"differ by {difference:.1e} from those of the same network in this process; allowed "
                f"are {LARGEST_DIFFERENCE:.0e}.",
                "Its Python packages do not fit its Triton: install the pins of envs/ (make environment).",
            )


def first_answer(repository: str | Path) -> Probe:
    """What a server of this repository must answer to a picture of noise when no arm is named.

    Parameters
    ----------
    repository : path
        Folder that `write_model_repository` filled; the newest version answers.

    Raises
    ------
    ModelRepositoryError
        If the manifest cannot be read.
    """
    folder = Path(repository) / MODEL_NAME
    version = max(int(path.name) for path in folder.iterdir() if path.name.isdecimal())
    manifest = read_manifest(repository, version)
    entry = manifest["arms"][manifest["default_arm"]]
    images = np.random.default_rng(0).integers(0, 256, (1, *SQUARE_SHAPE), dtype=np.uint8)
    session = onnxruntime.InferenceSession(
        str(folder / str(version) / entry["file"]), providers=["CPUExecutionProvider"]
    )
    return Probe(images, session.run(None, {INPUT_NAME: images})[0])
