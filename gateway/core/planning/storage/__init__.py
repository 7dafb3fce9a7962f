"""The plan of a storage, behind `core.planner`: recursions, the grid's goal and peaks, and their reasons."""
