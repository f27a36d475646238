"""The image classifier: handwritten digits by a small convolutional network."""
