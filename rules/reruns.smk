"""A rule runs again when anything of the library that its script rests on means something else."""

from dlre_core.foundation.digests import script_digest


def digest_behind(script):
    """Parameter function: a digest of what a script imports, computed when a job needs it."""
    return lambda wildcards: script_digest(script)


for each in workflow.rules:
    if each.script is not None:
        each.set_params(core=digest_behind(Path(str(each.basedir), each.script)))
