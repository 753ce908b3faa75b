"""What live series count for Prometheus: of the model, never of one series."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from regimetry.serve.live import LiveSeries
from regimetry.serve.subscribers import Subscribers

_SECONDS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class StreamMetrics(Collector):
    """Counts of live series, asked for when they are scraped.

    Attributes
    ----------
    rows : Counter
        Taken.
    seconds : Histogram
        Of a push, without reading and writing it.
    """

    def __init__(
        self, registry: CollectorRegistry, live: LiveSeries | None, subscribers: Subscribers
    ) -> None:
        self._live, self._subscribers = live, subscribers
        self.rows = Counter(
            "regimetry_stream_rows", "Rows that live series have taken.", registry=registry
        )
        self.seconds = Histogram(
            "regimetry_push_seconds",
            "A push to live series, its log included.",
            buckets=_SECONDS,
            registry=registry,
        )
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Yield what is counted elsewhere."""
        told, live = self._subscribers, self._live
        yield GaugeMetricFamily("regimetry_subscribers", "Who is being told.", told.count)
        for name, text, count in (
            ("changes", "Changes of regime that passed the rule.", told.changes),
            ("subscribers_dropped", "Subscribers that did not read.", told.dropped),
        ):
            yield CounterMetricFamily(f"regimetry_{name}", text, count)
        if live is None:
            return
        memory = live.memory
        yield GaugeMetricFamily("regimetry_series", "Live series.", live.count)
        yield GaugeMetricFamily("regimetry_log_bytes", "Size of the log.", memory.log_bytes)
        for name, text, count in (
            ("series_idle", "Series that were dropped since no row came.", live.idle_dropped),
            ("snapshots", "Snapshots that were written.", memory.snapshots),
            ("snapshots_failed", "Snapshots that could not be written.", memory.failed),
        ):
            yield CounterMetricFamily(f"regimetry_{name}", text, count)
