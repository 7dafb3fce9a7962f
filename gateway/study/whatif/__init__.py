"""`zen study`: what batteries of several sizes would have brought, over years of short steps, and the page about it."""
