"""The list of metrics with unit and meaning, and where they are counted. Names are the same in every mode."""

from collections.abc import Callable
from typing import Any, NamedTuple

from fastapi import APIRouter, Depends
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.responses import Response

from services.edge.roles import Role, allow


class Metric(NamedTuple):
    """One metric. Histograms say their buckets; labels have few values, never an id."""

    kind: type[Counter] | type[Gauge] | type[Histogram]
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

METRICS: dict[str, Metric] = {
    "lastintact_http_requests": Metric(Counter, "Requests answered.", ("method", "route", "status")),
    "lastintact_http_request_seconds": Metric(
        Histogram, "Seconds from the first byte of a request to the last of its answer.", ("method", "route"), _SECONDS
    ),
    "lastintact_http_in_flight": Metric(Gauge, "Requests being answered now."),
    "lastintact_ingest_events": Metric(
        Counter, "Events by outcome: recorded, duplicate, conflict, rejected.", ("outcome",)
    ),
    "lastintact_ingest_warnings": Metric(Counter, "Warnings on recorded events, by code.", ("code",)),
    "lastintact_ingest_batch_events": Metric(Histogram, "Events in one request.", (), _COUNTS),
    "lastintact_ingest_append_seconds": Metric(
        Histogram, "Seconds that one append to the log took until it was durable.", (), _SECONDS
    ),
    "lastintact_ingest_unavailable": Metric(Counter, "Requests answered 503 because a part was slow or away."),
    "lastintact_keys_refused": Metric(Counter, "Requests without a valid key.", ("status",)),
}
"""Every metric by name. Counters are shown with the suffix `_total`."""


class Metrics:
    """The metrics of one process. Thread-safe. A name that is not in the list is a bug."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._made: dict[str, Any] = {}
        for name, metric in METRICS.items():
            more: dict[str, Any] = {"buckets": metric.buckets} if metric.buckets else {}
            self._made[name] = metric.kind(name, metric.meaning, metric.labels, registry=self.registry, **more)

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter."""
        self._labelled(name, labels).inc(amount)

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Put a value into a histogram."""
        self._labelled(name, labels).observe(value)

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        self._labelled(name, labels).set(value)

    def ask(self, name: str, read: Callable[[], float]) -> None:
        """Let a gauge without labels ask for its value when it is read."""
        self._made[name].set_function(read)

    def value(self, name: str, **labels: str) -> float | None:
        """What one sample stands at, by its name as shown; None: never set."""
        return self.registry.get_sample_value(name, labels)

    def render(self) -> bytes:
        """All of them in Prometheus' text format."""
        return generate_latest(self.registry)

    def _labelled(self, name: str, labels: dict[str, str]) -> Any:
        return self._made[name].labels(**labels) if labels else self._made[name]


def router(metrics: Metrics) -> APIRouter:
    """`GET /metrics` for ops and admin."""
    routes = APIRouter()

    @routes.get("/metrics", dependencies=[Depends(allow(Role.OPS, Role.ADMIN))])
    def show_metrics() -> Response:
        """The process's metrics in Prometheus' text format."""
        return Response(metrics.render(), media_type=CONTENT_TYPE_LATEST)

    return routes
