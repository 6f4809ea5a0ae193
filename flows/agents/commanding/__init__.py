"""Agents that are programs: a coding agent's command, told what to do in JSON lines and read in JSON lines."""
