"""One picture whose answer is known: does a server read what it is given?"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from dlre_core.foundation.errors import ServerUnavailable
from dlre_core.foundation.study_terms import MODEL_NAME, SQUARE_SHAPE
from dlre_core.network.inference import Seen
from dlre_core.network.kinds import NetworkKind
from dlre_core.serving.repository import LARGEST_DIFFERENCE, read_manifest, session_inputs


@dataclass(frozen=True)
class Probe:
    """A picture and the probabilities, (1, questions), that belong to it."""

    seen: Seen
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
    kind = NetworkKind.of(entry)
    images = np.random.default_rng(0).integers(0, 256, (1, *SQUARE_SHAPE[:2], kind.channels), dtype=np.uint8)
    stiffness_kpa = None if kind.of_the_paper else np.array([7.5])
    session = onnxruntime.InferenceSession(
        str(folder / str(version) / entry["file"]), providers=["CPUExecutionProvider"]
    )
    seen = Seen(images, stiffness_kpa)
    return Probe(seen, session.run(None, session_inputs(session, seen))[0])
