"""What has to hold between a service's own answers, whatever is right."""
