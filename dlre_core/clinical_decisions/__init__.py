"""What accuracy means for decisions: rule a stage out or in, one test after another, two tests at their cut-offs."""
