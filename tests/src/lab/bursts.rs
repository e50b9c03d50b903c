//! Losses that come in bursts, by the clock: the model of Gilbert and Elliott with states that last for a time and not for
//! a number of packets, so that a line loses the same share of speech whatever else is sent on it.

use rand::Rng;
use rand::rngs::StdRng;
use std::time::{Duration, Instant};

/// How long good and bad times last on average, both exponentially distributed. In bad times everything is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bursts {
    pub good: Duration,
    pub bad: Duration,
}

impl Bursts {
    /// Bursts of 60 ms, three packets of speech, that lose this share.
    pub fn of(share: f64) -> Bursts {
        let bad = Duration::from_millis(60);
        Bursts { good: bad.mul_f64((1.0 - share) / share), bad }
    }
}

/// Which of the two it is.
#[derive(Debug, Clone)]
pub(super) struct Weather {
    is_bad: bool,
    until: Instant,
}

impl Weather {
    pub fn good(now: Instant) -> Weather {
        // The first look at it draws how long that lasts.
        Weather { is_bad: true, until: now }
    }

    /// Asked with times that do not go back.
    pub fn is_bad(&mut self, now: Instant, bursts: Bursts, rng: &mut StdRng) -> bool {
        while self.until <= now {
            self.is_bad = !self.is_bad;
            let mean = if self.is_bad { bursts.bad } else { bursts.good };
            self.until += mean.mul_f64(-(1.0 - rng.random::<f64>()).ln());
        }
        self.is_bad
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn a_fifth_in_bursts_is_good_for_240_ms_and_bad_for_60() {
        let bursts = Bursts::of(0.2);
        assert_eq!((bursts.good.as_millis(), bursts.bad.as_millis()), (240, 60));
        let (now, mut rng) = (Instant::now(), StdRng::seed_from_u64(3));
        let mut weather = Weather::good(now);
        let mut look = |ms: u64| weather.is_bad(now + Duration::from_millis(ms), bursts, &mut rng);
        let states: Vec<bool> = (0..600_000).map(&mut look).collect();
        let bad = states.iter().filter(|bad| **bad).count();
        let begun = states.windows(2).filter(|pair| !pair[0] && pair[1]).count();
        assert!((114_000..126_000).contains(&bad), "{bad} ms of 600 s");
        assert!((1850..2150).contains(&begun), "{begun} bursts");
    }
}
