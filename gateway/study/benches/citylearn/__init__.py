"""The bench of the CityLearn Challenge 2022."""
