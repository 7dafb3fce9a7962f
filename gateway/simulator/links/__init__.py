"""Sockets and serial lines by which the products are reached."""
