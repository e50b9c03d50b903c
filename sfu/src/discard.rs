//! Why a packet went no further. Each reason is a counter in `/metrics`; nothing is dropped silently.

use rtp::Malformed;

macro_rules! drop_reasons {
    ($($(#[$doc:meta])* $name:ident => $label:literal,)*) => {
        /// The reason a datagram or packet was dropped.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum DropReason { $($(#[$doc])* $name,)* }

        impl DropReason {
            /// All reasons, in the order of their counters.
            pub const ALL: &'static [DropReason] = &[$(DropReason::$name,)*];

            /// The Prometheus label.
            pub fn label(self) -> &'static str {
                match self { $(DropReason::$name => $label,)* }
            }
        }
    };
}

impl From<Malformed> for DropReason {
    fn from(what: Malformed) -> DropReason {
        match what {
            Malformed::Rtp => DropReason::MalformedRtp,
            Malformed::Rtcp => DropReason::MalformedRtcp,
            Malformed::Payload => DropReason::MalformedPayload,
        }
    }
}

drop_reasons! {
    /// First byte belongs to no protocol of RFC 7983, or the datagram is empty.
    UnknownProtocol => "unknown_protocol",
    /// No peer at this address, no STUN that names one, and no SSRC of a peer.
    UnknownAddress => "unknown_address",
    /// STUN that names no ufrag of ours.
    UnknownUfrag => "unknown_ufrag",
    /// STUN that does not parse, or a class or method we do not use.
    MalformedStun => "malformed_stun",
    /// STUN whose MESSAGE-INTEGRITY does not match.
    StunIntegrity => "stun_integrity",
    /// A STUN response to no check of ours, or not from where that check went.
    UnknownTransaction => "unknown_transaction",
    /// DTLS the handshake refused, or DTLS after it.
    Dtls => "dtls",
    /// Media or DTLS that comes where no check has proved the path, before the keys are there, or after consent
    /// has expired: a few at each start, many where a client sends and does not check.
    NotConnected => "not_connected",
    /// Forwarded to a receiver whose path was lost before the packet could leave: a few at each lost line. Nothing is
    /// forwarded to peers without a path.
    ReceiverGone => "receiver_gone",
    /// SRTP or SRTCP that does not authenticate.
    SrtpAuth => "srtp_auth",
    /// SRTP or SRTCP seen before, or too old for the replay window.
    Replay => "replay",
    /// To be sent under an SRTP index of its SSRC that was used before, or is too old to know whether it was. A fault
    /// of ours that the sealer stops: report it.
    IndexReused => "srtp_index_reused",
    /// RTP or RTCP header that does not parse.
    MalformedRtp => "malformed_rtp",
    MalformedRtcp => "malformed_rtcp",
    /// Payload descriptor that does not parse.
    MalformedPayload => "malformed_payload",
    Oversized => "oversized",
    /// SSRC that no section of the offer explains, or more of them than a peer may have.
    UnknownSsrc => "unknown_ssrc",
    UnknownPayloadType => "unknown_payload_type",
    /// A sequence number seen before.
    Duplicate => "duplicate",
    /// Further behind the newest than the slab reaches, or than the numbers of a slot do: a packet that comes
    /// late, or is asked for late.
    TooOld => "too_old",
    /// Speech that comes so long after newer speech of its voice that no receiver would play it.
    TooLate => "too_late",
    /// The server does not let this peer publish this now: muted by the chair, or called off by the site itself.
    Muted => "muted",
    /// More than a source or a layer of it may send.
    PublishLimit => "publish_limit",
    /// RTX that carries nothing (padding used for probing).
    Padding => "padding",
    /// The worker cannot keep up: media is thinned by priority. Counted for each slot that goes without.
    Overload => "overload",
    /// The receiver did not negotiate the codec.
    CodecNotNegotiated => "codec_not_negotiated",
    /// Asked for again and not resent: answered a moment ago, a second answer in one turn, or more than the
    /// receiver's share.
    ResendRefused => "resend_refused",
    /// A key frame that is not asked for: the receiver has had more of them than its share.
    KeyframeRefused => "keyframe_refused",
    /// The kernel's or the TCP connection's send buffer was full, or too many STUN and DTLS answers of one peer
    /// waited.
    SendBufferFull => "send_buffer_full",
    SendError => "send_error",
    /// DTLS to an address that has not proved that it is the peer's, beyond what came from there.
    Unproved => "unproved",
}
