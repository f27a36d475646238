"""What each fault does to the traffic, by the part of it that is wrong."""
