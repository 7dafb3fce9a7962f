"""What `zen bench` measures: one module or folder per bench; `report` makes the published page of them."""
