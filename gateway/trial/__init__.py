"""A building, its faults and what is expected of the gateway, from one file: `zen trial`."""
