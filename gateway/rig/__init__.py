"""The real parts of a building on one machine: finding or fetching them, starting and stopping them.

The rig looks into no part: it knows them by their files, sockets and exit codes.
"""
