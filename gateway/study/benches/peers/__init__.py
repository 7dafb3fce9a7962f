"""Planners of others beside ours: each in an environment of its own, asked over a pipe."""
