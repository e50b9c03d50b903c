use super::*;
use crate::Opus;
use crate::codec::{FRAME, PACKET};
use ::opus::packet::get_nb_samples;
use ::opus::{Application, Bitrate, Channels, Encoder};
use sfu::ids::PeerId;
use std::f32::consts::TAU;
use std::io::Cursor;

const SAMPLE_RATE: u32 = 48_000;
const SPEECH: [&[u8]; 2] = [
    include_bytes!("../../../../signaling/endpoint/assets/speech/0.ogg"),
    include_bytes!("../../../../signaling/endpoint/assets/speech/1.ogg"),
];

/// A tone as packets of 20 ms.
fn tone(hertz: f32, packets: usize) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(SAMPLE_RATE, Channels::Mono, Application::Audio).unwrap();
    encoder.set_bitrate(Bitrate::Bits(64_000)).unwrap();
    let wave: Vec<f32> =
        (0..packets * FRAME).map(|n| 0.3 * (TAU * hertz * n as f32 / SAMPLE_RATE as f32).sin()).collect();
    wave.chunks(FRAME).map(|frame| encoder.encode_vec_float(frame, 1_000).unwrap()).collect()
}

/// A recorded sentence, of packets of 20 ms.
fn speech(ogg: &'static [u8]) -> Vec<Vec<u8>> {
    let mut reader = ogg::PacketReader::new(Cursor::new(ogg));
    let packets = std::iter::from_fn(|| reader.read_packet().unwrap()).skip(2);
    packets.map(|packet| packet.data).collect()
}

/// Voices that speak at the same time, each packet in its turn.
fn mixed(voices: &[(PeerId, Vec<Vec<u8>>)], without: &[Option<PeerId>], bps: u32) -> Desk<Opus> {
    let mut desk = Desk::new(Opus);
    let ids: Vec<PeerId> = voices.iter().map(|(voice, _)| *voice).collect();
    let mixes: Vec<_> = without.iter().map(|without| wanted(*without, bps)).collect();
    desk.order(room(&ids, &mixes));
    let longest = voices.iter().map(|(_, packets)| packets.len()).max().unwrap();
    for number in 0..longest {
        for (voice, packets) in voices {
            if let Some(packet) = packets.get(number) {
                desk.voice(*voice, number as u32 * FRAME as u32, packet.clone());
            }
        }
        desk.run((number as u64 + 1) * 20);
    }
    desk
}

fn decoded(desk: &Desk<Opus>, without: Option<PeerId>) -> Vec<f32> {
    let mut decoder = Opus.decoder().unwrap();
    let mut samples = Vec::new();
    for packet in desk.mix(without) {
        assert_eq!(Opus.samples(&packet.payload), PACKET);
        assert!(Opus.decode(&mut decoder, Some(&packet.payload), &mut samples));
    }
    samples
}

/// Goertzel's measure of how much of a tone is in the samples: its amplitude.
fn amplitude(samples: &[f32], hertz: f32) -> f32 {
    let factor = 2.0 * (TAU * hertz / SAMPLE_RATE as f32).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in samples {
        (last, before) = (sample + factor * last - before, last);
    }
    2.0 * (last * last + before * before - factor * last * before).max(0.0).sqrt() / samples.len() as f32
}

#[test]
fn both_tones_are_in_the_mix_and_each_lacks_where_it_is_left_out() {
    let voices = [(ANNA, tone(440.0, 100)), (BINH, tone(1_000.0, 100))];
    let without = [None, Some(ANNA), Some(BINH), Some(PeerId(99))];
    let desk = mixed(&voices, &without, 48_000);
    for (without, anna, binh) in
        [(None, 0.3, 0.3), (Some(ANNA), 0.0, 0.3), (Some(BINH), 0.3, 0.0), (Some(PeerId(99)), 0.3, 0.3)]
    {
        let samples = decoded(&desk, without);
        // A second in the middle, of which both tones are whole numbers of waves.
        let second = &samples[24_000..72_000];
        for (hertz, expected) in [(440.0, anna), (1_000.0, binh)] {
            let found = amplitude(second, hertz);
            assert!((found - expected).abs() < 0.06, "without {without:?}: {hertz} Hz is {found}");
        }
    }
}

#[test]
fn a_mix_of_speech_keeps_to_its_bitrate() {
    let voices = [(ANNA, speech(SPEECH[0])), (BINH, speech(SPEECH[1]))];
    for (bps, within) in [(16_000, 12_000..20_000), (24_000, 18_000..30_000)] {
        let desk = mixed(&voices, &[None], bps);
        let packets = desk.mix(None);
        assert!(packets.len() > 100, "{}", packets.len());
        let bits: usize = packets.iter().map(|packet| packet.payload.len() * 8).sum();
        let measured = bits * 25 / packets.len();
        assert!(within.contains(&measured), "{measured} of {bps} bit/s");
    }
}

#[test]
fn a_sum_beyond_full_scale_is_limited() {
    let voices: Vec<_> = (0..16).map(|voice| (PeerId(voice), tone(440.0, 60))).collect();
    let desk = mixed(&voices, &[None], 128_000);
    let samples = decoded(&desk, None);
    let loudest = samples.iter().fold(0.0f32, |most, sample| most.max(sample.abs()));
    assert!((0.8..1.6).contains(&loudest), "{loudest}");
}

#[test]
fn any_bitrate_is_one_that_opus_has() {
    for bps in [0, 1, 6_000, 510_000, u32::MAX] {
        let mut encoder = Opus.encoder(bps).unwrap();
        Opus.set_bps(&mut encoder, bps);
        let packet = Opus.encode(&mut encoder, &[0.1; PACKET]).unwrap();
        assert_eq!(get_nb_samples(&packet, SAMPLE_RATE).unwrap(), PACKET);
    }
    let mut encoder = Opus.encoder(16_000).unwrap();
    assert_eq!(Opus.encode(&mut encoder, &[0.1; FRAME + 1]), None, "neither 20 nor 40 ms");
    assert!(Opus.encode(&mut encoder, &[0.1; FRAME]).is_some());
}

#[test]
fn concealment_is_of_20_ms_and_what_is_no_packet_is_refused() {
    let mut decoder = Opus.decoder().unwrap();
    let mut samples = Vec::new();
    assert!(Opus.decode(&mut decoder, None, &mut samples));
    assert_eq!(samples.len(), FRAME);
    assert_eq!(Opus.samples(&[]), 0);
    // Code 3 that counts no frames, and one that counts 63 of 20 ms.
    assert_eq!(Opus.samples(&[0xfb, 0]), 0);
    assert_eq!(Opus.samples(&[0xfb, 63]), 0);
    assert!(!Opus.decode(&mut decoder, Some(&[0xfb, 0]), &mut samples));
    assert_eq!(samples.len(), FRAME);
}

#[test]
fn samples_that_are_no_numbers_are_silence() {
    assert_eq!([f32::NAN, f32::INFINITY, 1e9, -1e9, 0.5].map(crate::codec::tame), [0.0, 0.0, 2.0, -2.0, 0.5]);
}
