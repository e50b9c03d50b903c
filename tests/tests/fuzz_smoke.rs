//! The entry functions of the fuzz targets with some thousand inputs from a seed: what `cargo fuzz`
//! does for hours, for a second.

use rand::rngs::StdRng;
use rand::{Rng, RngCore, SeedableRng};
use std::path::Path;
use tests::fuzz::TARGETS;

/// Inputs per target: those that build an engine or a meeting take longer.
fn inputs(target: &str) -> u64 {
    match target {
        "datagram" | "media" | "engine_operations" => 150,
        "sdp_offer" => 100,
        "connected" | "handshake" | "reoffers" => 40,
        _ => 2_000,
    }
}

#[test]
fn no_target_panics() {
    for (name, target) in TARGETS {
        for seed in 0..inputs(name) {
            target(&input(seed));
        }
    }
}

/// What searches have found worth keeping (`tests/fuzz/README.md`).
#[test]
fn the_corpus_is_survived() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut count = 0;
    for (name, target) in TARGETS {
        let Ok(files) = std::fs::read_dir(corpus.join(name)) else { continue };
        for file in files {
            target(&std::fs::read(file.expect("a file").path()).expect("an input"));
            count += 1;
        }
    }
    assert!(count > 0, "there is a corpus");
}

/// Half of them begin like something: STUN, RTP, RTCP, DTLS, JSON, TOML.
fn input(seed: u64) -> Vec<u8> {
    let mut rng = StdRng::seed_from_u64(seed);
    let heads: [&[u8]; 8] = [
        &[0, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42],
        &[0x90, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 0xbe, 0xde, 0, 4],
        &[0x81, 201, 0, 7],
        &[0x81, 205, 0, 3],
        &[22, 254, 253, 0, 0, 0, 0, 0],
        b"{\"type\":\"",
        b"[media]\n",
        b"a=rtpmap:",
    ];
    let mut bytes = Vec::new();
    if seed.is_multiple_of(2) {
        bytes.extend_from_slice(heads[(seed / 2) as usize % heads.len()]);
    }
    let mut noise = vec![0; rng.random_range(0..400)];
    rng.fill_bytes(&mut noise);
    bytes.extend_from_slice(&noise);
    bytes
}
