"""Recorded series that the simulator replays."""
