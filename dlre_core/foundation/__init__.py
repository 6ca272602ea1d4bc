"""What every package rests on: errors, files, tables, digests, logs and the study's own words."""
