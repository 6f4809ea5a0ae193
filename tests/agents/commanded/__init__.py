"""An app of tests whose flows are worked on by programs."""
