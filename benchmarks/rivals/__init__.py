"""The methods that the benchmark compares, one small file each."""
