"""Probabilities put right on training patients, frozen, and held to what they promise in others."""
