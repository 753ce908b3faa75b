"""What single bars say of the regimes that windows found."""
