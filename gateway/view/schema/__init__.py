"""What page, API, reports and MQTT may show of a building: frozen types, and the one encoder that writes them as JSON.

Imports nothing but the standard library, so that whoever shows something needs no other part of the gateway. Powers
follow the sign rule of the gateway (positive is drawn from the building by the thing named; the grid is positive when
the building imports); moments are UTC, ages count from the moment of the answer.
"""
