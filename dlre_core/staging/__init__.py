"""Staging of new patients with the frozen networks of a finished study."""
