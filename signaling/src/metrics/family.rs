//! One metric family, built from numbers and labels.

use prometheus::proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType};
use sfu::stats::{DELAY_BOUNDS_S, DelayHistogram};

/// Labels of one series.
pub type Labels<'a> = &'a [(&'a str, &'a str)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Gauge,
    Counter,
    Histogram,
}

/// A name, what it means, and its series.
pub struct Family {
    kind: Kind,
    name: &'static str,
    help: &'static str,
    series: Vec<Metric>,
}

impl Family {
    pub fn new(kind: Kind, name: &'static str, help: &'static str) -> Family {
        Family { kind, name, help, series: Vec::new() }
    }

    /// Adds a series of a gauge or counter.
    pub fn add(&mut self, labels: Labels, value: f64) {
        let mut metric = Metric::from_label(pairs(labels));
        if self.kind == Kind::Counter {
            let mut counter = Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        } else {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
        self.series.push(metric);
    }

    /// Adds a series of a histogram.
    pub fn add_histogram(&mut self, labels: Labels, delays: &DelayHistogram) {
        let mut cumulative = 0u64;
        let buckets = DELAY_BOUNDS_S.iter().zip(delays.counts).map(|(bound, n)| {
            cumulative = cumulative.saturating_add(n);
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(*bound);
            bucket.set_cumulative_count(cumulative);
            bucket
        });
        let mut histogram = Histogram::default();
        histogram.set_bucket(buckets.collect());
        histogram.set_sample_count(delays.counts.iter().sum());
        histogram.set_sample_sum(delays.sum_s);
        let mut metric = Metric::from_label(pairs(labels));
        metric.set_histogram(histogram);
        self.series.push(metric);
    }

    /// As the library's type; `None` without series.
    pub fn into_proto(self) -> Option<MetricFamily> {
        if self.series.is_empty() {
            return None;
        }
        let mut family = MetricFamily::default();
        family.set_name(self.name.to_owned());
        family.set_help(self.help.to_owned());
        family.set_field_type(match self.kind {
            Kind::Gauge => MetricType::GAUGE,
            Kind::Counter => MetricType::COUNTER,
            Kind::Histogram => MetricType::HISTOGRAM,
        });
        family.set_metric(self.series);
        Some(family)
    }
}

fn pairs(labels: Labels) -> Vec<LabelPair> {
    let pairs = labels.iter().map(|(name, value)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value((*value).to_owned());
        pair
    });
    pairs.collect()
}
