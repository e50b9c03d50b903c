//! Why an offer was refused.

/// Why an offer was refused. Stable: `code` is part of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    #[error("the offer does not parse as SDP")]
    Malformed,
    #[error("the offer is larger than a limit allows")]
    TooLarge,
    #[error("the offer lacks BUNDLE, rtcp-mux, ICE credentials or a fingerprint we know")]
    Unsupported,
    #[error("a later offer changed what may not change")]
    Changed,
    #[error("the worker has no room for another peer")]
    Full,
    #[error("the server failed at this offer")]
    Internal,
}

impl OfferError {
    pub fn code(self) -> &'static str {
        match self {
            OfferError::Malformed => "offer_malformed",
            OfferError::TooLarge => "offer_too_large",
            OfferError::Unsupported => "offer_unsupported",
            OfferError::Changed => "offer_changed",
            OfferError::Full => "worker_full",
            OfferError::Internal => "internal",
        }
    }
}
