"""One archive with a finished study's networks, as a paper's supplement: written, checked, and unpacked."""
