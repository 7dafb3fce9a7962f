"""All benches in one go, and the page with their results."""
