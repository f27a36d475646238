"""What stored reports say beside each other: two compared, a folder over time, the last promoted release."""
