//! The first ClientHello (RFC 6347 section 4.2), put together from its fragments and read for one
//! thing: which SRTP profiles the client lists (RFC 5764 section 4.1.1).
//!
//! `rtc-dtls` takes the profile the *client* prefers, and browsers list AES-CM first; so the
//! handshake is begun with the profile we want, once we know that the client has it. Chromium's hello
//! is 1,413 bytes in two fragments, and `use_srtp` may be in either.

use super::srtp::Profile;

const RECORD_HEADER_BYTES: usize = 13;
const FRAGMENT_HEADER_BYTES: usize = 12;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const HELLO_VERIFY_REQUEST: u8 = 3;
const USE_SRTP: u16 = 14;
const AEAD_AES_128_GCM: u16 = 0x0007;
/// Post-quantum hellos have 1.4 KB today; signatures of that kind would have 8.
const MAX_HELLO_BYTES: usize = 8 * 1024;

/// Collects the fragments of a client's first message.
#[derive(Default)]
pub(super) struct HelloBuffer {
    body: Vec<u8>,
    seen: Vec<bool>,
}

/// A whole ClientHello.
pub(super) struct Hello {
    pub profile: Profile,
    /// As one datagram with one unfragmented record.
    pub datagram: Vec<u8>,
}

/// One handshake fragment of epoch 0 and the header of the record it came in.
struct Fragment<'a> {
    record: [u8; RECORD_HEADER_BYTES],
    kind: u8,
    message_length: usize,
    message_sequence: u16,
    offset: usize,
    body: &'a [u8],
}

impl HelloBuffer {
    /// Takes in a datagram; returns the hello when it is complete.
    pub fn push(&mut self, datagram: &[u8]) -> Option<Hello> {
        let mut rest = datagram;
        while let Some((header, body, after)) = next_record(rest) {
            rest = after;
            let fragment = Fragment::parse(header, body);
            if let Some(hello) = fragment.and_then(|fragment| self.add(&fragment)) {
                return Some(hello);
            }
        }
        None
    }

    fn add(&mut self, fragment: &Fragment<'_>) -> Option<Hello> {
        let total = fragment.message_length;
        if fragment.kind != CLIENT_HELLO || fragment.message_sequence != 0 || total > MAX_HELLO_BYTES {
            return None;
        }
        if self.body.len() != total {
            self.body = vec![0; total];
            self.seen = vec![false; total];
        }
        let end = fragment.offset.checked_add(fragment.body.len())?;
        let room = self.body.get_mut(fragment.offset..end)?;
        room.copy_from_slice(fragment.body);
        self.seen.get_mut(fragment.offset..end)?.fill(true);
        if self.seen.contains(&false) {
            return None;
        }
        Some(Hello { profile: best_profile(&self.body), datagram: whole(fragment.record, &self.body)? })
    }
}

impl<'a> Fragment<'a> {
    fn parse(record: [u8; RECORD_HEADER_BYTES], body: &'a [u8]) -> Option<Fragment<'a>> {
        let [HANDSHAKE, _, _, 0, 0, ..] = record else {
            return None;
        };
        let (header, body) = body.split_first_chunk::<FRAGMENT_HEADER_BYTES>()?;
        let [kind, l0, l1, l2, s0, s1, o0, o1, o2, f0, f1, f2] = *header;
        Some(Fragment {
            record,
            kind,
            message_length: u24(l0, l1, l2),
            message_sequence: u16::from_be_bytes([s0, s1]),
            offset: u24(o0, o1, o2),
            body: body.get(..u24(f0, f1, f2))?,
        })
    }
}

/// Whether a datagram of ours is a HelloVerifyRequest: in the clear, so it can be seen.
pub(super) fn is_hello_verify(datagram: &[u8]) -> bool {
    is_handshake(datagram) && datagram.get(RECORD_HEADER_BYTES) == Some(&HELLO_VERIFY_REQUEST)
}

/// Whether a datagram begins with a handshake record.
pub(super) fn is_handshake(datagram: &[u8]) -> bool {
    datagram.first() == Some(&HANDSHAKE)
}

/// How many handshake records a datagram has. `None` unless the records fill the datagram, and the fragments in the
/// clear their messages: the shape that `dtls.rs` relies on. An alert in the clear may be anyone's, and its
/// close_notify would end the handshake (RFC 6347 section 4.1.2.7).
pub(super) fn handshake_records(datagram: &[u8]) -> Option<usize> {
    let (mut rest, mut count) = (datagram, 0usize);
    while let Some((header, body, after)) = next_record(rest) {
        rest = after;
        let [kind, _, _, e0, e1, ..] = header;
        let in_the_clear = [e0, e1] == [0, 0];
        let fits = match kind {
            HANDSHAKE => !in_the_clear || fragments_fit(body),
            ALERT => !in_the_clear,
            _ => true,
        };
        if body.is_empty() || !fits {
            return None;
        }
        count = count.saturating_add(usize::from(kind == HANDSHAKE));
    }
    rest.is_empty().then_some(count)
}

/// Messages may follow each other in a record; each must end within its record and its message.
fn fragments_fit(mut body: &[u8]) -> bool {
    while let Some((header, rest)) = body.split_first_chunk::<FRAGMENT_HEADER_BYTES>() {
        let [_, l0, l1, l2, _, _, o0, o1, o2, f0, f1, f2] = *header;
        let (total, offset, length) = (u24(l0, l1, l2), u24(o0, o1, o2), u24(f0, f1, f2));
        let end = offset.saturating_add(length);
        match rest.get(length..) {
            Some(after) if end <= total => body = after,
            _ => return false,
        }
    }
    body.is_empty()
}

/// Header, content and what follows.
fn next_record(datagram: &[u8]) -> Option<([u8; RECORD_HEADER_BYTES], &[u8], &[u8])> {
    let (header, rest) = datagram.split_first_chunk::<RECORD_HEADER_BYTES>()?;
    let [.., l0, l1] = *header;
    let (body, after) = rest.split_at_checked(usize::from(u16::from_be_bytes([l0, l1])))?;
    Some((*header, body, after))
}

/// The message in one record, under the number of its last fragment's record.
fn whole(mut record: [u8; RECORD_HEADER_BYTES], body: &[u8]) -> Option<Vec<u8>> {
    let [_, t0, t1, t2] = u32::try_from(body.len()).ok()?.to_be_bytes();
    let header = [CLIENT_HELLO, t0, t1, t2, 0, 0, 0, 0, 0, t0, t1, t2];
    let length = u16::try_from(body.len().checked_add(header.len())?).ok()?;
    let [.., l0, l1] = &mut record;
    [*l0, *l1] = length.to_be_bytes();
    Some([&record[..], &header, body].concat())
}

/// GCM where the client has it, AES-CM otherwise.
fn best_profile(hello: &[u8]) -> Profile {
    let profiles = srtp_profiles(hello).unwrap_or_default();
    let (profiles, _) = profiles.as_chunks::<2>();
    if profiles.contains(&AEAD_AES_128_GCM.to_be_bytes()) {
        Profile::AeadAes128Gcm
    } else {
        Profile::Aes128CmSha1_80
    }
}

/// The list in `use_srtp`, two bytes each.
fn srtp_profiles(hello: &[u8]) -> Option<&[u8]> {
    let mut rest = Reader(hello);
    rest.take(2 + 32)?;
    rest.vector8()?;
    rest.vector8()?;
    rest.vector16()?;
    rest.vector8()?;
    let mut extensions = Reader(rest.vector16()?);
    loop {
        let kind = u16::from_be_bytes(*extensions.take(2)?.first_chunk()?);
        let value = extensions.vector16()?;
        if kind == USE_SRTP {
            return Reader(value).vector16();
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn vector8(&mut self) -> Option<&'a [u8]> {
        let length = *self.take(1)?.first()?;
        self.take(usize::from(length))
    }

    fn vector16(&mut self) -> Option<&'a [u8]> {
        let length = u16::from_be_bytes(*self.take(2)?.first_chunk()?);
        self.take(usize::from(length))
    }
}

fn u24(a: u8, b: u8, c: u8) -> usize {
    u32::from_be_bytes([0, a, b, c]) as usize
}
