"""The HTTP server beneath the application."""
