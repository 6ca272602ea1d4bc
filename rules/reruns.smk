"""A rule runs again when anything of the library that its script rests on means something else."""

from dataclasses import asdict

from dlre_core.foundation.design import design_in_use
from dlre_core.foundation.digests import follows_design, script_digest, value_digest


def digest_behind(script):
    """Parameter function: a digest of what a script imports, and of the design where its output follows it."""
    words = f" {value_digest(asdict(design_in_use()))}"
    return lambda wildcards: script_digest(script) + words * follows_design(script)


for each in filter(lambda one: one.script, workflow.rules):
    each.set_params(core=digest_behind(Path(str(each.basedir), each.script)))
