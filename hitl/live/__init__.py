"""The live doors of questions."""
