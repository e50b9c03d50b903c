//! Whether anything that comes back every two seconds makes packets late: link lights go round in this time, and
//! statistics twice in it.

use crate::figures::percentile;
use crate::receiver::Sample;
use std::time::Duration;

const PERIOD: Duration = Duration::from_secs(2);
const PHASES: u32 = 20;

/// Milliseconds. Of each tenth of a second the worst delay counts; of the tenths at the same place of their two seconds
/// the median counts, so that a single event is not taken for a periodic one.
#[derive(Debug, Clone, Copy)]
pub struct Hills {
    /// At an ordinary place of the two seconds.
    pub ordinary_ms: f64,
    /// At the worst one.
    pub worst_ms: f64,
}

impl Hills {
    pub fn of(samples: &[Sample]) -> Hills {
        let step = PERIOD / PHASES;
        let begin = samples.iter().map(|sample| sample.at).min().unwrap_or_default();
        let mut tenths: Vec<f64> = Vec::new();
        for sample in samples {
            let tenth = (sample.at - begin).div_duration_f64(step) as usize;
            tenths.resize(tenths.len().max(tenth + 1), 0.0);
            tenths[tenth] = tenths[tenth].max(sample.delay.as_secs_f64() * 1e3);
        }
        let at_phase = |phase: usize| {
            let same: Vec<f64> = tenths.iter().copied().skip(phase).step_by(PHASES as usize).collect();
            percentile(&same, 50.0)
        };
        let phases: Vec<f64> = (0..PHASES as usize).map(at_phase).collect();
        Hills { ordinary_ms: percentile(&phases, 50.0), worst_ms: percentile(&phases, 100.0) }
    }
}
