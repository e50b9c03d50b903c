//! ICE and DTLS parameters of an offer, once for all its sections.

use super::OfferError;
use super::attributes::{has, values};
use crate::net::{Fingerprint, IceCredentials};
use rtc_sdp::description::common::Attribute;

/// ICE and DTLS attributes: those of the section, else those of the session.
pub(super) struct Transport<'a> {
    pub media: &'a [Attribute],
    pub session: &'a [Attribute],
}

impl<'a> Transport<'a> {
    fn value(&self, key: &str) -> Option<&'a str> {
        values(self.media, key).next().or_else(|| values(self.session, key).next())
    }

    /// We are ICE-lite and the passive side of DTLS, so the client must be neither.
    pub fn check_roles(&self) -> Result<(), OfferError> {
        let can_be_active = matches!(self.value("setup"), Some("actpass" | "active"));
        if !can_be_active || has(self.session, "ice-lite") {
            return Err(OfferError::Unsupported);
        }
        Ok(())
    }

    pub fn ice(&self) -> Result<IceCredentials, OfferError> {
        match (self.value("ice-ufrag"), self.value("ice-pwd")) {
            (Some(ufrag), Some(pwd)) => credentials(ufrag, pwd),
            _ => Err(OfferError::Unsupported),
        }
    }

    pub fn fingerprints(&self) -> Result<Vec<Fingerprint>, OfferError> {
        let here = has(self.media, "fingerprint");
        let level = if here { self.media } else { self.session };
        let is_sha256 = |value: &&str| value.to_ascii_lowercase().starts_with("sha-256 ");
        let read = |value: &str| value.parse().map_err(|_| OfferError::Malformed);
        let fingerprints = values(level, "fingerprint").filter(is_sha256).map(read);
        let fingerprints = fingerprints.collect::<Result<Vec<Fingerprint>, _>>()?;
        match fingerprints.len() {
            0 => Err(OfferError::Unsupported),
            1..=MAX_FINGERPRINTS => Ok(fingerprints),
            _ => Err(OfferError::TooLarge),
        }
    }
}

/// RFC 8839 section 5.4: sizes and alphabet. Some clients also use the alphabet of base64url.
fn credentials(ufrag: &str, pwd: &str) -> Result<IceCredentials, OfferError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "+/-_=".contains(c);
    let sizes = (4..=256).contains(&ufrag.len()) && (22..=256).contains(&pwd.len());
    if !sizes || !ufrag.chars().chain(pwd.chars()).all(fits) {
        return Err(OfferError::Malformed);
    }
    Ok(IceCredentials { ufrag: ufrag.to_owned(), pwd: pwd.to_owned() })
}

/// One per certificate; clients show one.
const MAX_FINGERPRINTS: usize = 8;
