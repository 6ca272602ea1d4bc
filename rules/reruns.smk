"""A rule runs again when anything of the library that its script rests on means something else."""

from dlre_core.foundation.digests import script_digest


def digest_behind(script):
    """Parameter function: a digest of what a script imports, computed when a job needs it."""
    return lambda wildcards: script_digest(script)


for each in filter(lambda one: one.script, workflow.rules):
    each.set_params(core=digest_behind(Path(str(each.basedir), each.script)))
