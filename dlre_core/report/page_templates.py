"""Where the pages' templates are, how they are filled, and files as links that hold them."""

import base64
from pathlib import Path

import jinja2


def environment() -> jinja2.Environment:
    """Where the templates are, and how they are filled: escaped, and never with a gap."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("dlre_core.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


def data_uri(path: Path, kind: str) -> str:
    """A file as a link that holds it."""
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"
