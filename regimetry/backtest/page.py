"""A walk as one HTML page."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from regimetry.analysis.performance import performance
from regimetry.backtest.summary import Summary, Traded
from regimetry.contract.wording import counted
from regimetry.errors import InstallError
from regimetry.files import replacing, require_writable
from regimetry.report.colours import looks_of
from regimetry.report.tables import Table, number

if TYPE_CHECKING:
    from regimetry.backtest.result import Backtest


def write_page(walk: Backtest, path: Path, data_name: str) -> None:
    """Write the page, complete or not at all.

    Raises
    ------
    InstallError
        The extra ``report`` is not installed.
    DataError
        The folder does not exist or cannot be written to.
    """
    require_writable(path)
    try:
        text = render_walk(walk, data_name)
    except ModuleNotFoundError as error:
        raise InstallError(
            f"plotly and jinja2, which make the page, cannot be loaded ({error.name} is missing). "
            "Run: pip install 'regimetry[report]'."
        ) from error
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def render_walk(walk: Backtest, data_name: str) -> str:
    """Return the page: the same for the same walk and versions."""
    from regimetry.backtest.figures import axis_of, walk_figures
    from regimetry.report.page import render

    summary, options = walk.summary, walk.options
    axis = axis_of(walk.frame.index)
    span = f"{axis.text(0)} to {axis.text(len(walk.frame) - 1)}"
    looks = looks_of(walk.names, range(len(walk.names)))
    template = files("regimetry.backtest").joinpath("page.html.j2").read_text(encoding="utf-8")
    return render(
        template,
        walk_figures(walk, looks),
        title=f"Walk forward over {data_name}",
        subtitle=f"{span} · {summary.bars:,} bars labelled by {summary.refits} refits, each fitted "
        f"on the {options.train:,} bars before",
        looks=looks,
        shares=list(summary.share.values()),
        headline=headline(summary),
        options=options,
        instruments=summary.instruments,
        earned=earned_table(summary),
        scores=score_table(summary),
        regimes=regime_table(walk),
        by_refit=refit_table(walk),
    )


def headline(summary: Summary) -> list[tuple[str, str, str]]:
    """Return the walk's facts: title, value, and what goes with it."""
    rule, hold, scores = summary.rule, summary.hold, summary.log_score
    rival = max(scores.one_t, scores.ewma_t)
    kept = number(summary.stability.kept, ".0%")
    return [
        ("Sharpe ratio", number(rule.sharpe, ".2f"), f"holding {number(hold.sharpe, '.2f')}"),
        ("Drawdown", f"{rule.drawdown:.1%}", f"holding {hold.drawdown:.1%}"),
        ("Turnover a year", f"{rule.turnover:.1f}", "2 is in and out once"),
        ("Log score", f"{scores.model:.4f}", f"best of two rivals {rival:.4f}, nats a bar"),
        ("Names kept", kept, f"of shared bars; {counted(summary.stability.born, 'regime')} born"),
    ]


def earned_table(summary: Summary) -> Table:
    """Describe what the rule and holding earned over the same bars."""
    header = ("", "return", "volatility", "Sharpe", "drawdown", "turnover")

    def row(name: str, one: Traded) -> tuple[str, ...]:
        return (
            name,
            number(one.annual_return, ".1%"),
            number(one.volatility, ".1%"),
            number(one.sharpe, ".2f"),
            number(one.drawdown, ".1%"),
            number(one.turnover, ".1f"),
        )

    return Table(("position", *header[1:]), [row("rule", summary.rule), row("held", summary.hold)])


def score_table(summary: Summary) -> Table:
    """Compare the model's mean log score with those of its rivals."""
    scores = summary.log_score
    rivals = (("one Student t", scores.one_t), ("EWMA with t", scores.ewma_t))
    rows = [("this model", number(scores.model, ".4f"), "")]
    rows += [(name, number(x, ".4f"), number(scores.model - x, "+.4f")) for name, x in rivals]
    return Table(("density", "mean log score", "model less it"), rows)


def regime_table(walk: Backtest) -> Table:
    """Describe each regime out of sample, by the return of the bar after."""
    frame = walk.frame
    if walk.by is not None:  # one instrument after the other
        frame = frame.sort_values(walk.by, kind="stable")
    names = frame[walk.by].to_numpy() if walk.by is not None else np.zeros(len(frame))
    breaks = np.r_[True, names[1:] != names[:-1]]
    found = performance(
        frame["regime"].fillna(-1).to_numpy(dtype=np.int64),
        frame["return"].to_numpy(),
        len(walk.names),
        bars_per_year=walk.options.bars_per_year,
        timing="next",
        breaks=breaks,
    )
    shares = walk.summary.share
    rows = [
        (
            name,
            f"{shares[name]:.1%}",
            f"{found.spells[k]:d}",
            number(found.annual_return[k], ".1%"),
            number(found.volatility[k], ".1%"),
            number(found.sharpe[k], ".2f"),
        )
        for k, name in enumerate(walk.names)
    ]
    header = ("regime", "share", "spells", "return", "volatility", "Sharpe")
    return Table(header, rows, tuple(range(len(rows))))


def refit_table(walk: Backtest) -> Table:
    """Describe the regimes of every refit in its training bars."""
    year = walk.options.bars_per_year
    rows: list[tuple[str, ...]] = []
    kept = dict(zip(walk.refits["refit"], walk.refits["kept"], strict=True))
    for row in walk.regimes.to_dict("records"):
        one: dict[str, Any] = {str(name): value for name, value in row.items()}
        rows.append(
            (
                one["regime"],
                str(one["begins"]).removesuffix(" 00:00:00"),
                f"{one['share']:.1%}",
                number(one["mean"] * year, ".1%"),
                number(one["deviation"] * np.sqrt(year), ".1%"),
                f"{one['position']:g}",
                number(kept[one["refit"]], ".0%"),
            )
        )
    header = ("regime", "labels from", "share", "mean", "deviation", "position", "names kept")
    return Table(header, rows, tuple(walk.names.index(row[0]) for row in rows))
