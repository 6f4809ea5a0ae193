"""Agents at work: `perform` asks a model or a program for one step of a flow."""
