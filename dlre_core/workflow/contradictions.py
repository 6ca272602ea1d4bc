"""Faults of a configuration that no schema sees: values that contradict each other, the cohort or the disk."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dlre_core.foundation.study_terms import MONAI_NETWORKS, OWN_NETWORKS, PAPERS_NETWORK
from dlre_core.workflow.config_faults import LAST_PORT, refuse
from dlre_core.workflow.named_class import module_file, names_of
from dlre_core.workflow.study_design import design_faults


def check_hospitals(config: Mapping[str, Any], hospitals: Collection[str]) -> None:
    """Refuse a split that an arm uses and that names hospitals which the cohort does not have, or leaves nobody.

    Parameters
    ----------
    config : mapping
    hospitals : collection of str
        Codes of the cohort's hospitals.

    Raises
    ------
    ConfigurationError
        Before anything is run, naming every such split.
    """
    faults = []
    for name in sorted({arm["split"] for arm in config["arms"].values()}):
        rule = config["splits"][name]
        training, external = set(rule.get("training", [])), set(rule.get("external", {}).get("hospital", []))
        for key, named in (("training", training), ("external.hospital", external)):
            if unknown := sorted(named - set(hospitals)):
                faults.append(
                    f"splits.{name}.{key}: this cohort has no hospital{'s' * (len(unknown) > 1)} {', '.join(unknown)}."
                )
        if both := sorted(training & external):
            faults.append(
                f"splits.{name}.external.hospital: {', '.join(both)} cannot both train and be external: take "
                f"{'it' if len(both) == 1 else 'them'} out of one of the lists."
            )
        if hospitals and training | external >= set(hospitals):
            last = "validate" if training else "train and validate"
            faults.append(f"splits.{name}.{'training' if training else 'external'}: no hospital is left to {last}.")
    limits = config["statistics"]["ast_upper_limit_of_normal_by_hospital_iu_l"]
    # YAML reads 01 as a number.
    unknown = sorted(str(name) for name in limits if name not in set(hospitals))
    if unknown:
        faults.append(
            "statistics.ast_upper_limit_of_normal_by_hospital_iu_l: this cohort has no "
            f"hospital{'s' * (len(unknown) > 1)} {', '.join(unknown)}; put quotes around codes of digits."
        )
    refuse(
        faults,
        f"The cohort's hospitals are {', '.join(sorted(hospitals))}: name some of them, or delete the "
        "split and the arms that use it. make check-data FOLDER=... prints sections to paste.",
    )


def contradictions(config: Mapping[str, Any]) -> Iterable[str]:
    """One sentence with its remedy for every contradiction of a configuration that its schema accepts."""
    cohort = config["cohort"]
    if cohort["source"] != "simulated" and not cohort.get("folder"):
        yield (
            f"cohort.folder = None: cohort.source is {cohort['source']}, which needs one. "
            "Give the folder that holds dicom/ and clinical.csv."
        )
    if cohort["source"] == "dicomweb":
        yield from pacs_contradictions(cohort)
    if cohort["source"] == "simulated":
        for name, words in (("size", "demo, paper or a number"), ("texture_signal", "1.0")):
            if cohort.get(name) is None:
                yield f"cohort.{name} = None: a simulated cohort needs one. Write {words}."
    if cohort["source"] != "simulated" and _in_results(str(cohort.get("folder"))):
        yield (
            f"cohort.folder = {cohort['folder']!r}: pictures with names may not lie in results/, which is passed "
            "on and cleaned. Give a folder outside it."
        )
    if Path(config["privacy"]["key_file"]).is_dir():
        yield (
            f"privacy.key_file = {config['privacy']['key_file']!r}: a folder. Give a file, such as .dlre/pseudonym.key."
        )
    for section, name in (("privacy", "key_file"), ("staging", "outbox")):
        if _in_results(config[section][name]):
            yield (
                f"{section}.{name} = {config[section][name]!r}: results/ is passed on and cleaned. "
                "Give a path outside results/, such as below .dlre/."
            )
    outbox = Path(config["staging"]["outbox"])
    if outbox.exists() and not outbox.is_dir():
        yield f"staging.outbox = {str(outbox)!r}: a file. Give a folder, such as .dlre/outbox."
    for section, name in (("cohort", "folder"), ("staging", "inbox")):
        if set(str(config[section].get(name))) & set("{}"):
            yield (
                f"{section}.{name} = {config[section][name]!r}: braces mean something else to Snakemake. "
                "Rename the folder, or give a link to it without them."
            )
    inbox = config["staging"]["inbox"]
    if inbox is not None and not Path(inbox).is_dir():
        yield f"staging.inbox = {inbox!r}: no such folder. Give the folder with DICOM files of new patients."
    for name, folder in config["validation"]["cohorts"].items():
        if not Path(folder).is_dir():
            yield (
                f"validation.cohorts.{name} = {folder!r}: no such folder. "
                "Give the folder that holds dicom/ and clinical.csv."
            )
    port = int((config["serving"]["url"] or ":8001").rpartition(":")[2])
    if not 0 < port <= LAST_PORT:
        yield (
            f"serving.url = {config['serving']['url']!r}: there is no port {port}. "
            f"Write host:port with a port of 1 to {LAST_PORT}."
        )
    training = config["training"]
    for low, high in (("minimum_epochs", "epochs"), ("minimum_steps", "maximum_steps")):
        if training[low] > training[high]:
            yield (
                f"training.{low} = {training[low]}: more than training.{high} = {training[high]}. "
                "Lower the one or raise the other."
            )
    low, high = config["statistics"]["alt_limits_iu_l"]
    if low >= high:
        yield f"statistics.alt_limits_iu_l = [{low}, {high}]: not rising. Write the lower limit first."
    yield from design_faults(config)
    yield from _arm_contradictions(config)


def _arm_contradictions(config: Mapping[str, Any]) -> Iterable[str]:
    available = config["enrolment"]["images_per_patient"]
    seen: dict[tuple[object, ...], str] = {}
    for name, arm in config["arms"].items():
        if arm["split"] not in config["splits"]:
            known = ", ".join(config["splits"])
            yield f"arms.{name}.split = {arm['split']!r}: there is no such split. Use one of {known}."
        kind = arm.get("network", PAPERS_NETWORK), arm.get("input", "square")
        first = seen.setdefault((arm["split"], arm["images"], *kind), name)
        if first != name:
            yield (
                f"arms.{name}: split and images are those of arms.{first}, and so are network and input, so that the "
                "tables could not tell them apart. Delete one of them, or change its split, images, network or input."
            )
        if fault := _network_fault(arm.get("network", PAPERS_NETWORK)):
            yield f"arms.{name}.network = {arm['network']!r}: {fault}"
        if arm["images"] > available:
            yield (
                f"arms.{name}.images = {arm['images']}: patients are enrolled with {available} images "
                "(enrolment.images_per_patient). Lower the one or raise the other."
            )
    first = next(iter(config["arms"].values()))["split"]
    by_hospital = config["splits"].get(first, {}).get("method") == "hospitals"
    if by_hospital and "repeated_splits" in config["robustness"]["analyses"]:
        yield (
            f"robustness.analyses: repeated_splits draws splits at random, but that of the first arm ({first}) "
            "divides by hospital. Take it out, or put an arm with a random split first."
        )


def _network_fault(name: str) -> str:
    """Why there is no such network, and what to write; empty where there is."""
    if name in OWN_NETWORKS:
        return ""
    module, colon, wanted = name.partition(":")
    if not colon:
        return f"there is no such network. Write {', '.join(OWN_NETWORKS)}, monai:DenseNet121 or module:Class."
    path = module_file(MONAI_NETWORKS if module == "monai" else module)
    if path is None and module == "monai":
        return "MONAI is not installed here. Install it (uv pip install monai), or use another network."
    if path is None:
        return f"there is no module {module}. Put its file beside config.yaml, or install its package."
    if wanted not in names_of(path):
        return f"{module} has no class {wanted}. Write one of its classes."
    return ""


def _in_results(path: str) -> bool:
    """True below the results of the working folder, however the path is written."""
    return Path(path).expanduser().resolve().is_relative_to(Path("results").resolve())


def pacs_contradictions(cohort: Mapping[str, Any]) -> Iterable[str]:
    """What is wrong with the address of the PACS in the section cohort: none, or names would travel in the open."""
    pacs = cohort.get("dicomweb") or {}
    if not pacs.get("url"):
        yield (
            "cohort.dicomweb.url = None: cohort.source is dicomweb, which needs one. "
            "Give the address of the DICOMweb service, such as https://pacs.hospital/dicom-web."
        )
        return
    address = urlsplit(pacs["url"])
    loopback = address.hostname in ("127.0.0.1", "localhost", "::1")
    if address.scheme == "http" and not loopback and not pacs.get("allow_http"):
        yield (
            f"cohort.dicomweb.url = {pacs['url']!r}: names and pictures would travel in the open. "
            "Use https, or set cohort.dicomweb.allow_http in a network that you trust."
        )
