"""Recorded values and texts as HTML that stays readable when they are long."""
