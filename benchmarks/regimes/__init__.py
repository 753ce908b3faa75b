"""Regimes against known states, and against the field's own tools.

Run: python -m benchmarks.regimes --seeds 10-14 --simulators s1,s2 --methods detector,hmm,jump \
         --jobs 2 -o results/

Every fit is one small file in the folder, found again by a hash of its settings, of the code that
it runs and of the versions of the packages, so that a run that was stopped goes on where it was.
Then it writes ``regimes.md`` and ``regimes.png``.
"""
