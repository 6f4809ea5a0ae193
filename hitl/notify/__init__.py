"""Telling people and programs about questions: an outbox in the database, and workers that send what is in it."""
