"""External validation: a frozen study's networks and cut-offs in cohorts that it never saw."""
