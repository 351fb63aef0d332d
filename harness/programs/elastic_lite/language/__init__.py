"""The small languages of the API: dates, durations, names, errors, filters."""
