"""From scenarios and prices to a plan: the schedule of the loads, then the levels of the storage beside them."""
