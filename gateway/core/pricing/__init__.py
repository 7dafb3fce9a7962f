"""What a kWh costs and when: tariffs, calendars, series of prices, goals."""
