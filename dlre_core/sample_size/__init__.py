"""How many patients a study needs, before there are any."""
