"""A tiny study in a folder of its own, for tests that run the workflow as a user does."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml

from dlre_core.workflow.study_design import read_configuration

ROOT = Path(__file__).parents[2]
PARTS = ("Snakefile", "config.yaml", "rules", "scripts", "dlre_core", "envs", "profiles")
TINY = {
    "cohort": {"size": 24},
    "training": {"epochs": 2, "minimum_epochs": 1, "minimum_steps": 4, "maximum_steps": 4, "device": "cpu"},
    "statistics": {"bootstrap_replicates": 50, "cutoff_from": "apparent"},
}


class Study:
    """A copy of the project in ``folder``, with a configuration of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def at_full_size(cls, folder: Path) -> "Study":
        """Copy the project's files as they are, over those of an earlier copy."""
        folder.mkdir(parents=True, exist_ok=True)
        for part in PARTS:
            source, hidden = ROOT / part, shutil.ignore_patterns("__pycache__")
            if source.is_dir():
                shutil.copytree(source, folder / part, ignore=hidden, dirs_exist_ok=True)
            else:
                shutil.copy2(source, folder / part)
        return cls(folder)

    @classmethod
    def create(cls, folder: Path, **changes: dict) -> "Study":
        """Copy the project's files and shrink the study to seconds."""
        study = cls.at_full_size(folder)
        study.configure(**TINY)
        study.configure(**changes)
        return study

    def copy(self, folder: Path) -> "Study":
        """The same study, results and workflow memory included, times kept."""
        shutil.copytree(self.folder, folder, symlinks=True, copy_function=shutil.copy2)
        return Study(folder)

    def configure(self, **sections: dict) -> None:
        """Change keys of ``config.yaml``; a section of the design is written there as a whole."""
        path = self.folder / "config.yaml"
        config, whole = yaml.safe_load(path.read_text()), read_configuration(path)
        for section, values in sections.items():
            config.setdefault(section, whole.get(section, {})).update(values)
        path.write_text(yaml.safe_dump(config, sort_keys=False))

    def name_design(self, design: str) -> None:
        """Change the design that ``config.yaml`` names."""
        path = self.folder / "config.yaml"
        config = yaml.safe_load(path.read_text())
        path.write_text(yaml.safe_dump(config | {"design": design}, sort_keys=False))

    def keep_arms(self, *names: str) -> None:
        """Leave only the named arms, to be quicker."""
        self._keep("arms", names)

    def keep_splits(self, *names: str) -> None:
        """Leave only the named splits, where the others name hospitals that are not there."""
        self._keep("splits", names)

    def _keep(self, section: str, names: tuple[str, ...]) -> None:
        """Write a section of the design into ``config.yaml``, cut down to some names."""
        path = self.folder / "config.yaml"
        config = yaml.safe_load(path.read_text())
        config[section] = {name: read_configuration(path)[section][name] for name in names}
        path.write_text(yaml.safe_dump(config, sort_keys=False))

    def snakemake(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run Snakemake in the folder and return what it said."""
        with self.start(*arguments) as process:
            try:
                output, _ = process.communicate(timeout=2400)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        if check and process.returncode:
            raise AssertionError(f"snakemake failed:\n{output[-8000:]}")
        return subprocess.CompletedProcess(process.args, process.returncode, output)

    def start(self, *arguments: str, output: int = subprocess.PIPE) -> subprocess.Popen[str]:
        """Start Snakemake in the folder; ``output`` is where what it says goes."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SNAKEMAKE")}
        environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
        environment["NUMBA_CACHE_DIR"] = str(ROOT / ".pytest_cache" / "numba")
        return subprocess.Popen(
            [sys.executable, "-m", "snakemake", *arguments],
            cwd=self.folder,
            env=environment,
            text=True,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )

    def run(self, *arguments: str) -> str:
        """Run everything (or the targets named) on two cores."""
        return self.snakemake("--cores", "2", "--quiet", "progress", *arguments).stdout

    def pending(self, *targets: str) -> set[str]:
        """Names of the rules that Snakemake would run now, for everything or for the targets named."""
        output = self.snakemake("--dry-run", "--cores", "2", "--", *targets).stdout
        return {line.split()[1].rstrip(":") for line in output.splitlines() if line.startswith(("rule ", "localrule "))}

    def tables(self) -> dict[str, bytes]:
        """Content of every CSV, HTML and SVG that must be the same from run to run."""
        results = self.folder / "results"
        return {
            str(path.relative_to(results)): path.read_bytes()
            for path in sorted(results.rglob("*"))
            if path.suffix in (".csv", ".html", ".svg", ".tex")
            and path.parts[len(results.parts)] not in ("benchmarks", "logs")
            and path.name != "report.html"
        }


def write_cohorts(folder: Path) -> dict[str, str]:
    """Two cohorts of one hospital each, to be quick; together a simulated one."""
    command = [sys.executable, "-m", "dlre_core.simulation", "--size", "24", "--seed", "7"]
    subprocess.run([*command, "--out", folder, "--processes", "2"], cwd=ROOT, check=True)
    clinical = pd.read_csv(folder / "clinical.csv", dtype=str)
    for number, name in enumerate(("north", "south")):
        mine = clinical.iloc[number::2]
        hospital = folder / name / "dicom" / "X"
        hospital.mkdir(parents=True)
        for row in mine.itertuples():
            pictures = folder / "dicom" / row.hospital / row.patient_id
            if pictures.exists():
                shutil.move(pictures, hospital)
        mine.assign(hospital="X").to_csv(folder / name / "clinical.csv", index=False)
    return {name: str(folder / name) for name in ("north", "south")}
