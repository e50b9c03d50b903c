//! Messages of connections to the hall, and how they are read.

use crate::error::Refusal;
use crate::media::{self, MAX_OFFER_BYTES, MAX_VIDEO_SLOTS, Offer};
use crate::meeting::Request;
use protocol::{ClientMessage, ClientReport, ErrorCode, Secret, sdp};

/// A message of a connection, already checked for form.
#[derive(Debug)]
pub enum SiteMessage {
    Hello {
        token: Secret,
        seat: Option<Secret>,
        takeover: bool,
        /// A fresh secret, used when this hello gets a new seat.
        fresh_seat: Secret,
    },
    /// Media is for the hall and the bridge; the meeting gets a report when it flows.
    Offer(Box<Offer>),
    Request(Request),
    Report(ClientReport),
    /// The connection is closed.
    Gone,
}

impl SiteMessage {
    /// Reads a site's message, offers included. `fresh_seat` is asked for a secret where a seat may be given.
    pub fn read(message: ClientMessage, fresh_seat: impl FnOnce() -> Secret) -> Result<SiteMessage, Refusal> {
        let request = match message {
            ClientMessage::Hello { token, seat, takeover, .. } => {
                return Ok(SiteMessage::Hello { token, seat, takeover, fresh_seat: fresh_seat() });
            }
            ClientMessage::Report { report } => return Ok(SiteMessage::Report(report)),
            ClientMessage::Offer { sdp } => {
                return Ok(SiteMessage::Offer(media::read_offer(&sdp::unfold(sdp, MAX_OFFER_BYTES)?)?));
            }
            ClientMessage::Wishes { slots } if slots.len() > MAX_VIDEO_SLOTS => {
                return Err(ErrorCode::MalformedMessage.into());
            }
            ClientMessage::Wishes { slots } => Request::Wishes(slots),
            ClientMessage::Hearing { mixed } => Request::Hearing { mixed },
            ClientMessage::Media { microphone, camera, content } => {
                Request::Media { microphone, camera, content }
            }
            ClientMessage::Act { action } => Request::Act(action),
            ClientMessage::Leave {} => Request::Leave,
            // Answered before they come here.
            ClientMessage::Ping { .. } | ClientMessage::Pong { .. } => {
                return Err(ErrorCode::Internal.into());
            }
        };
        Ok(SiteMessage::Request(request))
    }
}
