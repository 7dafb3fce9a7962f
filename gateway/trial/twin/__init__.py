"""House, nodes and gateway in virtual time: the real register maps, poll tables and decisions, without a socket."""
