"""Simulated worker processes in one loop: what happens, when and in which order comes from a seed."""
