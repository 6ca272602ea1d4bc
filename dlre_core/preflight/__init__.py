"""What can be known before a study runs: the machine, the folder, the configuration."""
