"""How good the model is on labelled cases."""
