"""What is tested: containers, processes and URLs. The only place that knows them."""
