"""The aspect ``kind``: regimes of noise, of a waveform, of chaos, of bursts."""

from __future__ import annotations

import numpy as np

from regimetry.encoder.pretraining.prior.chance import happens, pick, pick_laws

_KINDS = {"noise": 0.4, "waveform": 0.35, "chaos": 0.1, "bursts": 0.15}
NOISE_AMONG_WAVEFORMS = 0.12
NOISE_ASPECTS = {"dynamics": 0.4, "correlation": 0.2, "garch": 0.15, "tails": 0.15, "jumps": 0.1}
"""What may differ between two states of noise, with weights."""


def allowed_kinds(allowed: frozenset[str]) -> dict[str, float]:
    """Return the kinds of process, with weights, that a series may hold."""
    kinds = dict(_KINDS)
    if "waveform" not in allowed:
        del kinds["waveform"]
    if "kind" not in allowed:
        del kinds["chaos"]
    if not {"kind", "jumps"} <= allowed:  # a burst is a jump that fades
        del kinds["bursts"]
    return kinds


def draw_kinds(
    generator: np.random.Generator, n_states: int, differ: frozenset[str], allowed: frozenset[str]
) -> list[str]:
    """Return the kind of each state: of two or more kinds if states differ by it.

    Else all are noise, or waveforms if states differ by these; where the kind may differ too, 12 %
    of the waveforms are noise.
    """
    plain = "waveform" if "waveform" in differ else "noise"
    kinds = [plain] * n_states
    choices = allowed_kinds(allowed)
    if "kind" in differ and len(choices) > 1:
        noise_may_differ = allowed & {*NOISE_ASPECTS, "level", "volatility"}
        kinds = pick_laws(generator, choices, n_states, () if noise_may_differ else ("noise",))
        if len(set(kinds)) == 1:
            del choices[kinds[0]]
            kinds[int(generator.integers(n_states))] = pick(generator, choices)
    elif plain == "waveform" and "kind" in allowed:
        kinds = ["noise" if happens(generator, NOISE_AMONG_WAVEFORMS) else k for k in kinds]
        if "waveform" not in kinds:
            kinds[int(generator.integers(n_states))] = "waveform"
    return kinds


def aspects_of(
    generator: np.random.Generator,
    kinds: list[str],
    differ: frozenset[str],
    *,
    allowed: frozenset[str],
    n_features: int,
) -> frozenset[str]:
    """Return what the states differ by, given their kinds.

    An aspect of noise or of waveforms needs two states of them; two states of noise, or two
    waveforms, in turn need an aspect to differ by.
    """
    aspects = set(differ) - {"kind"}
    if len(set(kinds)) > 1:
        aspects.add("kind")
    aspects.discard("waveform")
    if kinds.count("waveform") > 1:
        aspects.add("waveform")
    if kinds.count("noise") < 2:
        return frozenset(aspects - set(NOISE_ASPECTS))
    if not aspects & {*NOISE_ASPECTS, "level", "volatility"}:
        weights = {
            name: weight
            for name, weight in {**NOISE_ASPECTS, "level": 0.01, "volatility": 0.01}.items()
            if name in allowed and (name != "correlation" or n_features > 1)
        }
        if weights:
            aspects.add(pick(generator, weights))
    return frozenset(aspects)
