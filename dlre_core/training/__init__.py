"""Train an arm's networks, one for each stage question."""
