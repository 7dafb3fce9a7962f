"""What may be believed in this cycle, and why not: readings, the grid meter, and what devices do with set-points."""
