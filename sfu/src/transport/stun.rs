//! STUN binding requests (RFC 8489) as ICE uses them, and answers to our own. Reading allocates nothing: anyone may
//! send one. Messages are written with `rtc-stun`, only to senders that authenticated.

use crate::net::{IceCredentials, Path};
use arrayvec::ArrayVec;
use rtc_crypto::{Mac, RTCCrypto, constant_time_eq};
use rtc_stun::attributes::{
    ATTR_ERROR_CODE, ATTR_FINGERPRINT, ATTR_ICE_CONTROLLED, ATTR_MAPPED_ADDRESS, ATTR_MESSAGE_INTEGRITY,
    ATTR_NONCE, ATTR_PRIORITY, ATTR_REALM, ATTR_UNKNOWN_ATTRIBUTES, ATTR_USE_CANDIDATE, ATTR_USERNAME,
    ATTR_XORMAPPED_ADDRESS, AttrType, RawAttribute,
};
use rtc_stun::error_code::{CODE_ROLE_CONFLICT, CODE_UNKNOWN_ATTRIBUTE};
use rtc_stun::fingerprint::{FINGERPRINT, fingerprint_value};
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{
    BINDING_ERROR, BINDING_REQUEST, BINDING_SUCCESS, MAGIC_COOKIE, MESSAGE_HEADER_SIZE, Message, Setter,
    TransactionId,
};
use rtc_stun::textattrs::Username;
use rtc_stun::uattrs::UnknownAttributes;
use rtc_stun::xoraddr::XorMappedAddress;

/// Types of a binding request and of the answer to one: method 1, class request and success.
const BINDING_REQUEST_TYPE: u16 = 0x0001;
const BINDING_SUCCESS_TYPE: u16 = 0x0101;
/// Bits of a type that encode its class (RFC 8489 section 5), and those of an answer, good or bad.
const CLASS_BITS: u16 = 0x0110;
const ANSWERS: [u16; 2] = [0x0100, 0x0110];
const ATTRIBUTE_HEADER_BYTES: usize = 4;
const INTEGRITY_BYTES: usize = 20;
/// Types from here on may be ignored by a receiver that does not know them (RFC 8489 section 14).
const COMPREHENSION_OPTIONAL: u16 = 0x8000;
/// Those below that are known: of a binding request, and those that are merely out of place in one,
/// which a server ignores (RFC 8489 section 6.3).
const KNOWN: [AttrType; 10] = [
    ATTR_USERNAME,
    ATTR_MESSAGE_INTEGRITY,
    ATTR_PRIORITY,
    ATTR_USE_CANDIDATE,
    ATTR_MAPPED_ADDRESS,
    ATTR_XORMAPPED_ADDRESS,
    ATTR_ERROR_CODE,
    ATTR_UNKNOWN_ATTRIBUTES,
    ATTR_REALM,
    ATTR_NONCE,
];
/// Unknown attributes an answer names. Each took four bytes of the request.
const MAX_UNKNOWN: usize = 8;

/// Whether the datagram is STUN: the first byte decides (RFC 7983), and the cookie confirms it.
pub fn is_stun(datagram: &[u8]) -> bool {
    let cookie = datagram.get(4..8) == Some(&MAGIC_COOKIE.to_be_bytes());
    cookie && datagram.len() >= MESSAGE_HEADER_SIZE && datagram.first() <= Some(&3)
}

/// Our username fragment in a binding request: what is before the colon of USERNAME. Nothing has been verified yet.
pub fn ufrag_of(datagram: &[u8]) -> Option<&[u8]> {
    let username = Request::parse(datagram)?.username;
    username.split(|byte| *byte == b':').next()
}

/// What the transaction of an answer begins with: the tag of the peer whose check it answers
/// ([`super::CheckNumbers`]). An answer has no USERNAME.
pub fn tag_of_answer(datagram: &[u8]) -> Option<u32> {
    let kind = u16::from_be_bytes(*datagram.first_chunk()?);
    let tag = datagram.get(8..)?.first_chunk()?;
    ANSWERS.contains(&(kind & CLASS_BITS)).then_some(u32::from_be_bytes(*tag))
}

/// Priority of a peer-reflexive candidate (RFC 8445 section 5.1.2), which is what our checks would
/// make of us for a client that did not know our address.
const PRIORITY: u32 = (110 << 24) | (0xffff << 8) | 0xff;

/// A check of ours. We are the controlled side, and with this tie-breaker the client wins a conflict
/// of roles.
pub(super) fn check(
    crypto: &dyn RTCCrypto,
    (local, remote): (&IceCredentials, &IceCredentials),
    transaction: [u8; 12],
) -> Option<Vec<u8>> {
    let username = Username::new(ATTR_USERNAME, format!("{}:{}", remote.ufrag, local.ufrag));
    let raw = |typ, value: &[u8]| RawAttribute { typ, length: 0, value: value.to_vec() };
    let priority = raw(ATTR_PRIORITY, &PRIORITY.to_be_bytes());
    let controlled = raw(ATTR_ICE_CONTROLLED, &[0; 8]);
    let head: [&dyn Setter; 5] =
        [&BINDING_REQUEST, &TransactionId(transaction), &username, &priority, &controlled];
    write(crypto, &remote.pwd, &head)
}

/// A success response to a check of ours, not verified.
pub(super) struct Answer<'a> {
    pub transaction: [u8; 12],
    signed: Signed<'a>,
}

impl<'a> Answer<'a> {
    /// `None` for anything else, and for one without MESSAGE-INTEGRITY.
    pub fn parse(raw: &'a [u8]) -> Option<Answer<'a>> {
        let attributes = attributes_of(raw, BINDING_SUCCESS_TYPE)?;
        let (mut integrity, mut fingerprint) = (None, None);
        for attribute in attributes {
            match AttrType(attribute.kind) {
                ATTR_FINGERPRINT => fingerprint = Some(attribute),
                ATTR_MESSAGE_INTEGRITY => integrity = integrity.or(Some(attribute)),
                _ => {}
            }
        }
        let signed = Signed { raw, integrity: integrity?, fingerprint };
        Some(Answer { transaction: *raw.get(8..)?.first_chunk()?, signed })
    }

    /// MESSAGE-INTEGRITY under the key of `mac`, and FINGERPRINT where there is one: an answer is recognised by its
    /// transaction.
    pub fn verify(&self, mac: &mut dyn Mac) -> bool {
        self.signed.verify(mac)
    }
}

/// A binding request, not verified.
pub(super) struct Request<'a> {
    pub transaction: [u8; 12],
    pub username: &'a [u8],
    pub use_candidate: bool,
    /// The sender believes that we are in control, which ICE-lite never is.
    pub controlled: bool,
    /// Attributes we do not know and may not ignore.
    pub unknown: ArrayVec<u16, MAX_UNKNOWN>,
    signed: Signed<'a>,
}

/// What authenticates a message.
struct Signed<'a> {
    raw: &'a [u8],
    integrity: Attribute<'a>,
    fingerprint: Option<Attribute<'a>>,
}

#[derive(Clone, Copy)]
struct Attribute<'a> {
    kind: u16,
    value: &'a [u8],
    /// Where its header begins in the message.
    at: usize,
}

impl<'a> Request<'a> {
    /// `None` for anything else, or without what ICE demands (RFC 8445 section 7.1): USERNAME,
    /// MESSAGE-INTEGRITY and FINGERPRINT.
    pub fn parse(raw: &'a [u8]) -> Option<Request<'a>> {
        let attributes = attributes_of(raw, BINDING_REQUEST_TYPE)?;
        let (mut username, mut integrity, mut fingerprint) = (None, None, None);
        let (mut use_candidate, mut controlled) = (false, false);
        let mut unknown = ArrayVec::new();
        for attribute in attributes {
            // What follows MESSAGE-INTEGRITY is not signed: ignored, but for FINGERPRINT.
            let signed = integrity.is_none();
            match AttrType(attribute.kind) {
                ATTR_FINGERPRINT => fingerprint = Some(attribute),
                ATTR_MESSAGE_INTEGRITY if signed => integrity = Some(attribute),
                // Of an attribute that comes twice the first counts (RFC 8489 section 14).
                ATTR_USERNAME if signed => username = username.or(Some(attribute.value)),
                ATTR_USE_CANDIDATE if signed => use_candidate = true,
                ATTR_ICE_CONTROLLED if signed => controlled = true,
                kind if signed && is_unknown(kind) => {
                    let _as_many_as_are_named = unknown.try_push(kind.0);
                }
                _ => {}
            }
        }
        Some(Request {
            transaction: *raw.get(8..)?.first_chunk()?,
            username: username?,
            use_candidate,
            controlled,
            unknown,
            signed: Signed { raw, integrity: integrity?, fingerprint: Some(fingerprint?) },
        })
    }

    pub fn verify(&self, mac: &mut dyn Mac) -> bool {
        self.signed.verify(mac)
    }
}

impl Signed<'_> {
    /// MESSAGE-INTEGRITY under the key of `mac` (RFC 8489 section 14.5), and FINGERPRINT
    /// (section 14.7).
    fn verify(&self, mac: &mut dyn Mac) -> bool {
        let fingerprint = self.fingerprint.map(|attribute| self.fingerprint_holds(attribute));
        self.integrity_holds(mac).is_some_and(|holds| holds)
            && fingerprint.is_none_or(|holds| holds.is_some_and(|holds| holds))
    }

    /// The length in the header counts as if MESSAGE-INTEGRITY were the last attribute.
    fn integrity_holds(&self, mac: &mut dyn Mac) -> Option<bool> {
        let [t0, t1, _, _] = *self.raw.first_chunk()?;
        let end = self.integrity.at.checked_add(ATTRIBUTE_HEADER_BYTES)?;
        let length = end.checked_add(INTEGRITY_BYTES)?.checked_sub(MESSAGE_HEADER_SIZE)?;
        let [l0, l1] = u16::try_from(length).ok()?.to_be_bytes();
        let rest = self.raw.get(4..self.integrity.at)?;
        let mut computed = [0; INTEGRITY_BYTES];
        mac.sign(&[&[t0, t1, l0, l1], rest], &mut computed).ok()?;
        Some(constant_time_eq(&computed, self.integrity.value))
    }

    fn fingerprint_holds(&self, attribute: Attribute<'_>) -> Option<bool> {
        let expected = fingerprint_value(self.raw.get(..attribute.at)?);
        let last = attribute.at.checked_add(8)? == self.raw.len();
        Some(last && attribute.value == expected.to_be_bytes())
    }
}

fn is_unknown(kind: AttrType) -> bool {
    kind.0 < COMPREHENSION_OPTIONAL && !KNOWN.contains(&kind)
}

/// The attributes of a whole message of this type.
fn attributes_of(raw: &[u8], expected: u16) -> Option<Attributes<'_>> {
    let length = usize::from(u16::from_be_bytes(*raw.get(2..)?.first_chunk()?));
    let kind = u16::from_be_bytes(*raw.first_chunk()?);
    let whole = length.checked_add(MESSAGE_HEADER_SIZE)? == raw.len();
    (is_stun(raw) && kind == expected && whole).then_some(Attributes { raw, at: MESSAGE_HEADER_SIZE })
}

/// Walks over attributes; ends at the first that does not fit.
struct Attributes<'a> {
    raw: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let [k0, k1, l0, l1] = *self.raw.get(self.at..)?.first_chunk()?;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let start = self.at.checked_add(ATTRIBUTE_HEADER_BYTES)?;
        let value = self.raw.get(start..start.checked_add(length)?)?;
        let attribute = Attribute { kind: u16::from_be_bytes([k0, k1]), value, at: self.at };
        self.at = start.checked_add(length.checked_next_multiple_of(4)?)?;
        Some(attribute)
    }
}

/// The answer to a good request: where we saw it come from.
pub(super) fn success(
    crypto: &dyn RTCCrypto,
    pwd: &str,
    transaction: [u8; 12],
    path: &Path,
) -> Option<Vec<u8>> {
    let seen = XorMappedAddress { ip: path.remote.ip(), port: path.remote.port() };
    write(crypto, pwd, &[&BINDING_SUCCESS, &TransactionId(transaction), &seen])
}

/// 487 (RFC 8445 section 7.3.1.1): the client must take control.
pub(super) fn role_conflict(crypto: &dyn RTCCrypto, pwd: &str, transaction: [u8; 12]) -> Option<Vec<u8>> {
    let head: [&dyn Setter; 3] = [&BINDING_ERROR, &TransactionId(transaction), &CODE_ROLE_CONFLICT];
    write(crypto, pwd, &head)
}

/// 420 (RFC 8489 section 6.3.1): which attributes we do not know and may not ignore.
pub(super) fn unknown_attributes(
    crypto: &dyn RTCCrypto,
    pwd: &str,
    transaction: [u8; 12],
    unknown: &[u16],
) -> Option<Vec<u8>> {
    let named = UnknownAttributes(unknown.iter().copied().map(AttrType).collect());
    let head: [&dyn Setter; 4] =
        [&BINDING_ERROR, &TransactionId(transaction), &CODE_UNKNOWN_ATTRIBUTE, &named];
    write(crypto, pwd, &head)
}

fn write(crypto: &dyn RTCCrypto, pwd: &str, head: &[&dyn Setter]) -> Option<Vec<u8>> {
    let mut message = Message::new();
    message.write_header();
    for setter in head {
        setter.add_to(&mut message).ok()?;
    }
    let integrity = MessageIntegrity::new_raw_integrity_with_provider(pwd.as_bytes(), crypto);
    integrity.add_to(&mut message).ok()?;
    FINGERPRINT.add_to(&mut message).ok()?;
    Some(message.raw)
}
