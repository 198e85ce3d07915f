"""Pages of the studies (embedders, ablation, validity), from their JSON alone."""
