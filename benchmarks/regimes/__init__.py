"""Regimes against known states, and against the established tools.

Run: python -m benchmarks.regimes --seeds 10-14 --simulators s1,s2 --methods detector,hmm,jump \
         --jobs 2 -o results/

Every fit writes one small file into the folder. Its name has a hash of the settings, of the whole
package and the methods, and of the versions of the packages, so a run that was stopped goes on.
Then it writes ``regimes.md`` and ``regimes.png``.
"""
