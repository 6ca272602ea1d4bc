"""The rules: short, alike, and each with one script of its own name."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk"))]
# Name and text of a rule by turns, after what stands before the first one.
RULE = re.compile(r"^ *(?:rule|checkpoint) (\w+):\n", re.MULTILINE)


def rules() -> dict[str, tuple[Path, str]]:
    """File and text of every rule that has a script."""
    found = {}
    for path in FILES[1:]:
        _, *parts = RULE.split(path.read_text(encoding="utf-8"))
        found |= {name: (path, text) for name, text in zip(parts[::2], parts[1::2], strict=True)}
    return found


def test_the_rules_stay_short():
    # Derived rules (`use rule ... as`) count as well; what stands outside rules is shared among them.
    count = sum(
        len(re.findall(r"^ *(?:use )?(?:rule|checkpoint) ", path.read_text(encoding="utf-8"), re.MULTILINE))
        for path in FILES
    )
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in FILES) <= 26 * count


def test_every_rule_says_what_it_does_and_has_its_log_its_benchmark_and_its_environment():
    for name, (_, text) in rules().items():
        assert text.lstrip().startswith('"""'), name
        for part in ("log:", "benchmark:", "conda:", "script:"):
            assert re.search(rf"^ +{part}\n", text, re.MULTILINE), (name, part)
        assert f'"results/logs/{name}' in text, name
        assert f'"results/benchmarks/{name}' in text, name


def test_every_rule_has_the_script_of_its_name_in_the_folder_of_its_file():
    wanted = {f"scripts/{path.stem}/{name}.py" for name, (path, _) in rules().items()}
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "scripts").rglob("*.py")} == wanted
    for name, (path, text) in rules().items():
        assert f'"../scripts/{path.stem}/{name}.py"' in text, name


def test_scripts_take_what_they_need_from_params_and_say_what_comes_out():
    for path in sorted((ROOT / "scripts").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"snakemake\.(config|wildcards)", text), path
        assert re.match(r'"""[^"\n]+\.""\"\n', text), path


def test_starting_imports_nothing_that_only_jobs_need():
    # Snakemake reads the rules at every start, and on a cluster before every job.
    lines = "\n".join(path.read_text() for path in sorted((ROOT / "rules").glob("*.smk")))
    imports = re.findall(r"^(?:from dlre_core\S* import (?:\(.*?\)|[^\n(]+)|import dlre_core\S*)$", lines, re.M | re.S)
    assert len(imports) > 15
    code = "\n".join([*imports, "import sys", "print(*sys.modules)"])
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    heavy = {"torch", "numba", "scipy", "sklearn", "matplotlib", "pydicom", "h5py", "onnxruntime", "tritonclient"}
    assert not heavy & set(loaded.split())
