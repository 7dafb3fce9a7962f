"""Plans are made beside the loop, in a process of their own: whatever happens there, the building runs on."""
