//! A promise: what shall hold behind certain lines, each clause a number with a bound.

use super::cell::Cell;
use super::measure::Measured;

/// A number of a cell.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    pub name: &'static str,
    pub unit: &'static str,
    pub of: fn(&Measured) -> f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Bound::AtMost(most) => value <= most,
            Bound::AtLeast(least) => value >= least,
        }
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Promise {
    /// In the sheet, and where gates name it.
    pub line: &'static str,
    pub cells: Vec<Cell>,
    pub clauses: Vec<(Metric, Bound)>,
}

/// What became of one clause: the worst of the promise's cells.
#[derive(Debug, Clone, Copy)]
pub struct Verdict {
    pub metric: Metric,
    pub bound: Bound,
    pub value: f64,
    pub holds: bool,
}

impl Promise {
    /// `measured`: of this promise's cells. A meeting that could not be held keeps no promise.
    pub fn judge(&self, measured: &[Measured]) -> Vec<Verdict> {
        let is_whole = !measured.is_empty() && measured.iter().all(|cell| cell.broken.is_none());
        let judge = |(metric, bound): &(Metric, Bound)| {
            let values = measured.iter().map(metric.of);
            let value = match bound {
                Bound::AtMost(_) => values.fold(f64::MIN, f64::max),
                Bound::AtLeast(_) => values.fold(f64::MAX, f64::min),
            };
            Verdict { metric: *metric, bound: *bound, value, holds: is_whole && bound.holds(value) }
        };
        self.clauses.iter().map(judge).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_cell_is_judged_and_a_broken_one_keeps_no_promise() {
        let metric = Metric { name: "queue", unit: "ms", of: |measured| measured.queue_p95 };
        let bounds = [Bound::AtMost(200.0), Bound::AtLeast(100.0)];
        let clauses = bounds.map(|bound| (metric, bound)).to_vec();
        let promise = Promise { line: "a line", cells: vec![], clauses };
        let queue = |queue_p95: f64| Measured { queue_p95, ..Measured::default() };
        let kept =
            |measured: &[Measured]| promise.judge(measured).iter().map(|v| v.holds).collect::<Vec<_>>();
        assert_eq!(kept(&[queue(150.0), queue(200.0)]), [true, true]);
        assert_eq!(kept(&[queue(201.0), queue(99.0)]), [false, false]);
        let broken = Measured { broken: Some(String::new()), ..queue(150.0) };
        assert_eq!(kept(&[broken]), [false, false]);
        assert_eq!(kept(&[]), [false, false]);
    }
}
