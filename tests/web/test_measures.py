from collections.abc import Mapping

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from clawgw.web.measures import Histogram, Measure
from clawgw.web.tally import Tally

BOUNDS = (0.5, 1.0, 10.0)


def samples(family: Metric) -> Mapping[tuple[str, tuple[str, ...]], float]:
    return {(sample.name, tuple(sample.labels.values())): sample.value for sample in family.samples}


def test_a_measure_without_labels_is_shown_from_the_start() -> None:
    tally = Tally()
    Measure("plain", "", (), tally, CounterMetricFamily)
    Measure("labelled", "", ("kind",), tally, CounterMetricFamily)
    assert [*tally.series()] == [(b'["plain"]', (0.0,))]


def test_the_numbers_of_a_series_are_the_same_for_all_who_ask() -> None:
    tally = Tally()
    counter = Measure("labelled", "", ("kind",), tally, CounterMetricFamily)
    counter.of("a")[0] += 1
    counter.of("b")[0] += 5
    counter.of("a")[0] += 2
    assert [*tally.series()] == [(b'["labelled","a"]', (3.0,)), (b'["labelled","b"]', (5.0,))]


def test_counters_and_gauges_as_the_library_has_them() -> None:
    counter = Measure("done", "", ("kind",), Tally(), CounterMetricFamily)
    assert samples(counter.family({("a",): [3.0], ("b",): [0.0]})) == {
        ("done_total", ("a",)): 3.0,
        ("done_total", ("b",)): 0.0,
    }
    gauge = Measure("now", "", (), Tally(), GaugeMetricFamily)
    assert samples(gauge.family({(): [7.0]})) == {("now", ()): 7.0}


def test_a_value_counts_in_the_bucket_of_the_first_bound_that_it_does_not_exceed() -> None:
    tally = Tally()
    histogram = Histogram("took_seconds", "", ("kind",), tally, bounds=BOUNDS)
    observe = histogram.observer("a")
    for value in (0.0, 0.5, 0.6, 10.0, 10.5, 1000.0):
        observe(value)
    ((_, numbers),) = tally.series()
    assert numbers == (1021.6, 2.0, 1.0, 1.0, 2.0)
    assert samples(histogram.family({("a",): numbers})) == {
        ("took_seconds_bucket", ("a", "0.5")): 2.0,
        ("took_seconds_bucket", ("a", "1.0")): 3.0,
        ("took_seconds_bucket", ("a", "10.0")): 4.0,
        ("took_seconds_bucket", ("a", "+Inf")): 6.0,
        ("took_seconds_count", ("a",)): 6.0,
        ("took_seconds_sum", ("a",)): 1021.6,
    }
