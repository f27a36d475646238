"""Pure statistics on numpy arrays: quantiles, exact bounds, paired comparison, sequential looks. No I/O."""
