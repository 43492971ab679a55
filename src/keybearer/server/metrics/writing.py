"""The text that Prometheus reads, written by its client library."""

from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from keybearer.server.metrics.measuring import Measured
from keybearer.server.metrics.table import METRICS

_FAMILIES: Final = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily}


def text_of(measured: Measured, accept: str) -> tuple[bytes, str]:
    """
    Write what was measured, in the order of the table.

    Args:
        accept: the scraper's ``Accept`` header, which says which format it wants.

    Returns:
        The text and its media type.
    """
    try:
        encode, media_type = choose_encoder(accept)
    except (TypeError, ValueError):  # it names a version that the library cannot compare
        encode, media_type = choose_encoder("")
    return encode(_Families(measured)), media_type


class _Families(Collector):
    """What was measured, as the library has it collected."""

    def __init__(self, measured: Measured) -> None:
        self._measured = measured

    def collect(self) -> Iterator[Metric]:
        """Return each metric with its series; one that has none is left out."""
        series: dict[str, list[tuple[tuple[str, ...], tuple[float, ...]]]] = {}
        for (name, labels), numbers in sorted(self._measured.items()):
            series.setdefault(name, []).append((labels, numbers))
        for name, metric in METRICS.items():
            if name not in series:
                continue
            if metric.kind == "histogram":
                yield _histogram(name, series[name])
            else:
                family = _FAMILIES[metric.kind](name, metric.words, labels=metric.labels)
                for labels, (number,) in series[name]:
                    family.add_metric(labels, number)
                yield family


def _histogram(name: str, series: list[tuple[tuple[str, ...], tuple[float, ...]]]) -> Metric:
    metric = METRICS[name]
    ends = [*map(str, metric.bounds), "+Inf"]
    family = HistogramMetricFamily(name, metric.words, labels=metric.labels)
    for labels, (*counts, total) in series:
        family.add_metric(labels, list(zip(ends, accumulate(counts), strict=True)), total)
    return family
