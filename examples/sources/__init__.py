"""Texts that a job may show to a model and to people: which folders, which files, and what is in them."""
