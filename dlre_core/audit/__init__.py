"""Audit of published tables: what whole numbers of patients, and which methods, can explain them."""
