//! Limits that more than one mechanism goes by, each with its reason. What bounds one mechanism alone is in its file.

use std::time::Duration;

/// Chromium's offer of 16 pairs of slots with all its codecs has 98 to 110 KB; our page, which names the codecs
/// it wants, offers a whole wall of 50 pairs in 117 KB (`tests/golden/`).
pub const MAX_OFFER_BYTES: usize = 128 * 1024;
/// Sections in one offer: all sources and slots, and some room for what is rejected.
pub const MAX_SECTIONS: usize = 3 + MAX_VIDEO_SLOTS + MAX_AUDIO_SLOTS + 21;
/// Lines of an offer: reading costs by the line. The shortest real ones, the `webrtc` crate's, have 27 bytes on
/// average, of which 4,850 fill the largest offer.
pub const MAX_OFFER_LINES: usize = 5_000;
/// Lines of one section. Chromium's fullest has 168, and the first has some dozen candidates besides; it is these,
/// which we do not even use, that could be made by the thousand.
pub const MAX_SECTION_LINES: usize = 256;
/// Candidates of one kind (UDP, TCP) in an answer. They are repeated in each section: 16 lines of 70 bytes in the 111
/// sections of a full wall are 124 KB, which with the rest of a plain answer still fits into a message of 256 KB. A
/// machine with more addresses has bridges of containers; its operator names those that count in the settings.
pub const MAX_CANDIDATES_OF_A_KIND: usize = 8;
/// Simulcast layers of one source; browsers send at most three.
pub const MAX_LAYERS: usize = 3;
/// Video slots of one peer: the 49 tiles of a wall of 7 × 7, and the big screen.
pub const MAX_VIDEO_SLOTS: usize = 50;
/// Audio slots of one peer: one beside each video slot and eight more.
pub const MAX_AUDIO_SLOTS: usize = MAX_VIDEO_SLOTS + 8;
/// SSRCs one peer may bring at a time: 3 sources × 3 layers × (media, RTX), and RED or a restart beside it.
pub const MAX_REMOTE_SSRCS: usize = 24;
/// SSRCs of one connection that may be replaced by others, as encoders restart. Afterwards their packets are refused.
pub const MAX_ENDED_SSRCS: usize = 256;
/// SSRCs one peer may send RTCP from: Firefox reports on each receiving section under an SSRC of its own.
pub const MAX_RTCP_SSRCS: usize = MAX_REMOTE_SSRCS + MAX_VIDEO_SLOTS + MAX_AUDIO_SLOTS;
/// Largest RTP packet taken in. Ethernet's MTU is 1,500; browsers stay below 1,250.
pub const MAX_RTP_BYTES: usize = 1500;
/// Largest datagram read.
pub const MAX_DATAGRAM_BYTES: usize = 2048;
/// Peers of one worker: twice the 1,800 receivers of 2 Mbit/s that one core is meant to serve.
pub const MAX_PEERS_PER_WORKER: usize = 4096;

/// Speech that is later than this against the newest of its voice is not played any more: a receiver that waited for
/// it would answer everybody a quarter of a second later. Two questions to a publisher 100 ms away are answered within.
pub const SPEECH_MAX_AGE: Duration = Duration::from_millis(250);

/// Chromium checks consent every 2.5 s and sends media all the time: within 4 s one check has been missed, and the
/// chair is to see a lost line soon after it.
pub const QUIET_AFTER: Duration = Duration::from_secs(4);
/// RFC 7675 section 5.1.
pub const CONSENT_EXPIRY: Duration = Duration::from_secs(30);
/// A DTLS handshake that takes longer than this has failed.
pub const DTLS_TIMEOUT: Duration = Duration::from_secs(20);
/// A source that sends nothing this long is silent, and a layer that does is not available: other layers of its source
/// take over. Whether the source is switched off, its site reports.
pub const SOURCE_IDLE_AFTER: Duration = Duration::from_secs(2);
