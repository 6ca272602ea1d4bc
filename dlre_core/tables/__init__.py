"""Tables of the paper: one module a family; CSV at full precision, HTML and LaTeX for print."""
