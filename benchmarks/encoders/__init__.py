"""Features of windows compared, everything else the same: which encoder should be the default.

``python -m benchmarks.encoders`` puts every kind of features through the same preprocessing,
choice of window size and number of regimes, head, memory and evidence of bars, on series with known
states, and says whether the pretrained encoder meets what is asked of a default. Recordings lie in
the folder that ``REGIMETRY_DATA`` names.
"""
