"""What is sent: schedules, intakes, the application process and the oracle that watches it."""
