"""The bar of a fit's stages."""

import pytest
from tqdm import tqdm

import regimetry as rg
from regimetry.fit.source import PanelSource, panel_source
from regimetry.fit.stages import SHARES, Stages


def bars():
    return list(getattr(tqdm, "_instances", ()))


class Broken(PanelSource):
    """Rows that cannot be read, which it says once the bar is there."""

    def measured(self):
        assert len(bars()) == 1
        raise OSError("no disk")


def test_the_bar_is_closed_when_a_fit_raises(capsys):
    made = panel_source(rg.simulate("s2", n_rows=400, seed=0).values)
    with pytest.raises(OSError, match="no disk"):
        rg.RegimeDetector(window_size=10, progress=True).fit(Broken(made.panel, made.schema))
    assert bars() == []


def test_stages_are_said_as_they_begin(capsys):
    with Stages(True) as stages:
        for name in SHARES:
            stages.begin(name)
    shown = capsys.readouterr().err
    assert all(name in shown for name in SHARES)
    assert "90%" in shown
    with Stages() as silent:
        silent.begin("encoder")
    assert capsys.readouterr().err == ""
