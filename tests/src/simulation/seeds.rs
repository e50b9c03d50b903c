//! What comes from a seed, and which seeds a story runs for.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::ops::Range;

/// Things that draw from one seed each have numbers of their own, in whatever order they draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draws {
    Wire,
    Engine,
    Story,
    Codecs,
    /// The sites of a house, their pages and their WebSockets.
    Sites,
    Sockets,
    /// The secrets a process of a house gives.
    Secrets,
}

pub fn rng(seed: u64, draws: Draws) -> StdRng {
    let salt = match draws {
        Draws::Wire => 0,
        Draws::Engine => 0x656e_6769_6e65,
        Draws::Story => 0x6e68_6970,
        Draws::Codecs => 0x0063_6f64_6563,
        Draws::Sites => 0x7369_7465,
        Draws::Sockets => 0x736f_636b,
        Draws::Secrets => 0x7365_6372,
    };
    StdRng::seed_from_u64(seed ^ salt)
}

/// All 256 bits of the engine's seed differ from seed to seed.
pub fn engine_seed(seed: u64) -> [u8; 32] {
    rng(seed, Draws::Engine).random()
}

/// The seeds a story runs for: `usual`, or `COUNT` from `SEED` on (`ops/sweep.sh`).
pub fn seeds(usual: Range<u64>) -> Range<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().expect(name));
    match number("SEED") {
        Some(first) => first..first + number("COUNT").unwrap_or(1),
        None => usual,
    }
}

#[cfg(test)]
mod tests {
    use super::engine_seed;

    #[test]
    fn engines_of_seeds_that_end_in_the_same_byte_differ() {
        let (one, other) = (engine_seed(1), engine_seed(257));
        let alike = one.iter().zip(&other).filter(|(a, b)| a == b).count();
        assert!(alike < 4, "{alike} of 32 bytes");
        assert_eq!(one, engine_seed(1));
    }
}
