"""All benches in one go, and the page that tells what came of them."""
