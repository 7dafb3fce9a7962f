"""The schedule of the flexible loads: when each runs, beside the storage and the other loads."""
