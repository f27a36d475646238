"""The tabular classifier: breast masses by measurements of cell nuclei."""
