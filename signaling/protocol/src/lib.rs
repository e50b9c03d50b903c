//! The protocol between a site and the bridge: one JSON object per WebSocket text message, tagged
//! by `type`. This file is the protocol; `web/src/protocol/gen.ts` is generated from it
//! (`make protocol`), and a test fails when the two differ.
//!
//! # A conversation
//! 1. The page opens `/ws` and sends `hello` with the secret of its join link. Nothing is accepted
//!    before it, and it must come within [`HELLO_TIMEOUT_S`].
//! 2. The server answers `welcome` (or `refused` and closes), then the first `meeting`.
//! 3. The site sends `offer`, the server `answer`. Media flows. A site may offer again at any time:
//!    with fresh ICE credentials to restart ICE, or with more slots at the end; the newest offer is the one
//!    that is answered. After `media_moved` it offers again on a new connection.
//! 4. The site sends `wishes` whenever its layout changes; the server sends `slots` whenever what a
//!    slot carries has changed. Neither touches SDP.
//! 5. Whatever changes in the meeting arrives as a whole new `meeting`: the newest one is the truth.
//! 6. Either side sends `ping`; the other answers `pong` with the same number. A connection silent
//!    for [`SILENCE_TIMEOUT_S`] is closed; the seat stays. The site comes back with `hello` and its
//!    `seat` secret, at any later time, and is the same participant. Who has the link only may ask for the
//!    seat by `takeover`, of a site that is lost, too.
//!
//! # SDP sections
//! The offer's sections are told apart by kind, direction and order, nothing else: the first audio
//! section that sends is the microphone, the first video section that sends is the camera, the second
//! is content. Every receive-only video section is a video slot, numbered from 0; the receive-only
//! audio section directly before it is its partner. Receive-only audio sections without such a
//! partner are audio-only slots and come last.
//!
//! # Versions
//! [`VERSION`] is one number. A server answers a `hello` of another version with `refused`, code
//! `version`; the page then reloads itself.

// Nothing that comes from outside can panic us. Tests may.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod measure;
pub mod sdp;
mod secret;

pub use secret::Secret;

use serde::{Deserialize, Serialize};
use std::fmt;
use ts_rs::TS;

/// Raised whenever a message changes in a way an older page would misread.
pub const VERSION: u32 = 2;
/// Seconds a fresh connection may take to say `hello`.
pub const HELLO_TIMEOUT_S: u64 = 10;
/// Seconds between the server's pings.
pub const PING_INTERVAL_S: u64 = 5;
/// Seconds without any message after which a connection counts as lost.
pub const SILENCE_TIMEOUT_S: u64 = 15;
/// Largest message of a site: an offer of 128 KiB, plain. As JSON each of its 5,000 lines has two bytes more, so
/// it has 141 KB at most; as large ones as browsers make deflate to some KB.
pub const MAX_MESSAGE_BYTES: usize = 160 * 1024;
/// Largest first message, which comes from a stranger: version, token and seat have some 200 bytes.
pub const MAX_HELLO_BYTES: usize = 4 * 1024;

/// A site's number within its meeting, stable for the meeting's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(transparent)]
#[ts(export_to = "gen.ts")]
pub struct SiteId(pub u32);

/// What a site says. What has no fields is written `{}`: serde would let a unit variant have any.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[ts(export_to = "gen.ts")]
pub enum ClientMessage {
    /// First message of every connection.
    Hello {
        version: u32,
        /// The secret part of the join link.
        #[ts(as = "String")]
        token: Secret,
        /// The secret given in `welcome`, when a known participant comes back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional, as = "Option<String>")]
        seat: Option<Secret>,
        /// Take the seat over from another device that holds it, or held it when it was lost. The chair sees it.
        #[serde(default)]
        takeover: bool,
    },
    /// An SDP offer, see "SDP sections".
    Offer {
        sdp: Sdp,
    },
    /// What each video slot shall show, in slot order; `null` leaves a slot empty. The chair's big
    /// screen outranks it, unless all are `null`: such a site only listens, and is sent no picture. A
    /// site may wish for itself, in one slot: what comes back measures its line.
    Wishes {
        slots: Vec<Option<SlotWish>>,
    },
    /// Whether this site asks for one mix in place of each voice, which takes least of its line. The server mixes by
    /// itself for lines that do not carry the voices. Nothing is asked for until this comes.
    Hearing {
        mixed: bool,
    },
    /// What this site is sending just now by its own choice. What it calls off is not forwarded.
    Media {
        microphone: bool,
        camera: bool,
        content: bool,
    },
    /// What the page sees of its own link, once in a few seconds; goes to Prometheus.
    Report {
        report: ClientReport,
    },
    Ping {
        n: u32,
    },
    Pong {
        n: u32,
    },
    /// An act of the chair, or of whoever `welcome.actions` allows it. Refused acts are answered
    /// with `error`, code `forbidden`.
    Act {
        action: Action,
    },
    /// Leaves the meeting. The link stays good.
    Leave {},
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
#[ts(export_to = "gen.ts")]
pub enum ServerMessage {
    /// The site is in.
    Welcome {
        version: u32,
        you: SiteId,
        role: Role,
        /// Secret that takes this seat again after any time; keep it in `sessionStorage`.
        #[ts(as = "String")]
        seat: Secret,
        /// What this site may do now; changes arrive with every `meeting`.
        actions: Vec<ActionKind>,
    },
    /// The site is not in; the connection closes. `code` is one of `ErrorCode`.
    Refused {
        code: ErrorCode,
        text: String,
    },
    /// Something this site sent cannot be done; the connection goes on.
    Error {
        code: ErrorCode,
        text: String,
    },
    Answer {
        sdp: Sdp,
    },
    /// The whole state of the meeting.
    Meeting {
        meeting: MeetingView,
    },
    /// What each slot carries, after a change. Video slots in order, then audio slots in order;
    /// `null` is an empty slot. `limits` says of which video slots less comes than was wished for, and why; what is
    /// missing at its end is not limited. `mixed`: one of the audio slots, which are all `null` then, carries a mix of
    /// all voices that are heard.
    Slots {
        video: Vec<Option<SlotSource>>,
        audio: Vec<Option<SlotSource>>,
        limits: Vec<Option<SlotLimit>>,
        mixed: bool,
    },
    /// Who speaks, loudest first.
    Speakers {
        sites: Vec<SiteId>,
    },
    /// Which simulcast layers of this site's own source are watched, lowest first; switch the other
    /// encodings off (`RTCRtpEncodingParameters.active`).
    Layers {
        kind: SourceKind,
        layers: Vec<bool>,
    },
    /// Link quality of all sites that hold a seat, after `welcome`.
    Links {
        links: Vec<SiteLink>,
    },
    /// Links that differ from what was told before, at most once in two seconds; all others are as they were.
    LinkChanges {
        links: Vec<SiteLink>,
    },
    Ping {
        n: u32,
    },
    Pong {
        n: u32,
    },
    /// This site is out of the meeting for good; the page shows why and stops.
    Goodbye {
        reason: GoodbyeReason,
    },
    /// What carried this site's media hangs, and another part of the server carries it from now on: make a new
    /// connection and offer again.
    MediaMoved,
    /// What carries this site's media hangs, and there is nothing else that could. It goes on by itself, or the
    /// server starts anew.
    MediaStalled,
    /// The server is going down; come back after about this long.
    Draining {
        retry_after_ms: u32,
    },
}

/// SDP, plain or deflated (raw DEFLATE, RFC 1951, then base64): 98 KB become 2.4. The server answers a plain
/// offer with a plain answer: not everybody can inflate.
#[derive(Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "gen.ts")]
pub enum Sdp {
    Plain(String),
    Deflated(String),
}

/// It holds the passwords of ICE, and is long.
impl fmt::Debug for Sdp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sdp::Plain(text) => write!(f, "Plain({} bytes)", text.len()),
            Sdp::Deflated(text) => write!(f, "Deflated({} bytes)", text.len()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "gen.ts")]
pub enum SourceKind {
    Microphone,
    Camera,
    Content,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "gen.ts")]
pub struct SlotWish {
    pub site: SiteId,
    pub kind: SourceKind,
    /// Tallest picture worth receiving, in lines: the best layer that is not taller comes, or the lowest there
    /// is. A layer is half of the next, so less than twice the tile asks for the one that fills it.
    pub max_height: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "gen.ts")]
pub struct SlotSource {
    pub site: SiteId,
    pub kind: SourceKind,
}

/// What a video slot shows less of than was wished for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "gen.ts")]
pub struct SlotLimit {
    pub shows: SlotShows,
    pub by: LimitedBy,
}

/// What is left of a picture: a smaller one that moves, fewer frames, a still every few seconds, or the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "gen.ts")]
pub enum SlotShows {
    Lower,
    Fewer,
    Stills,
    Held,
}

/// Whose doing it is: the line of who looks, the site that is looked at, or the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "gen.ts")]
pub enum LimitedBy {
    Viewer,
    Publisher,
    Server,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "gen.ts")]
pub enum Role {
    /// Chủ tọa.
    Chair,
    /// Điểm cầu thành phần.
    Site,
}

/// Acts that change the meeting for others. Written `{}` for the same reason as in [`ClientMessage`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[ts(export_to = "gen.ts")]
pub enum Action {
    /// Closes one microphone; the site cannot open it again until allowed.
    Mute {
        site: SiteId,
    },
    /// Lets a site open its microphone again.
    AllowUnmute {
        site: SiteId,
    },
    /// Closes every microphone but the chair's.
    MuteAll {},
    AllowUnmuteAll {},
    /// Puts a site (its content, if it shows any) on everybody's big screen; `null` takes it off.
    BigScreen {
        site: Option<SiteId>,
    },
    /// Mời ra khỏi phòng họp. The link no longer admits until the chair unlocks it by `readmit`.
    Remove {
        site: SiteId,
    },
    Readmit {
        site: SiteId,
    },
    /// While locked only sites that were inside before come in.
    Lock {
        locked: bool,
    },
    /// Ends the meeting for all. The chair's link opens it again.
    End {},
}

/// Names of [`Action`]s, for the list of what one may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "gen.ts")]
pub enum ActionKind {
    Mute,
    AllowUnmute,
    MuteAll,
    AllowUnmuteAll,
    BigScreen,
    Remove,
    Readmit,
    Lock,
    End,
    /// Not an act on others: sharing one's own screen.
    ShareContent,
}

/// Where a link leads: what `GET /invitation` tells whoever has it (`Authorization: Bearer` and its secret), before
/// it joins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "gen.ts")]
pub struct InvitationView {
    /// The meeting's title.
    pub meeting: String,
    /// The name of the site in whose name the link joins.
    pub site: String,
}

/// The meeting as everybody may see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "gen.ts")]
pub struct MeetingView {
    pub title: String,
    /// Milliseconds since 1970, or `null` before the first site came.
    pub started_at_ms: Option<u64>,
    pub locked: bool,
    pub big_screen: Option<SiteId>,
    /// All invited sites, the chair's first, then in the order of the configuration.
    pub sites: Vec<SiteView>,
    /// What the receiver of this message may do now.
    pub actions: Vec<ActionKind>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "gen.ts")]
pub struct SiteView {
    pub id: SiteId,
    /// Name as given for this meeting, NFC.
    pub name: String,
    pub role: Role,
    pub presence: Presence,
    /// When `presence` last changed, milliseconds since 1970; `null` if it never has.
    pub since_ms: Option<u64>,
    /// What this site says it sends; a line that stands still turns nothing off. Content is told with its
    /// first picture. Of a site that never said `media` it is what the bridge receives.
    pub microphone: MicrophoneState,
    pub camera: bool,
    pub content: bool,
    /// How often the site has come back after a loss.
    pub reconnections: u32,
    /// How often another device has taken the seat from the one that had it, in this meeting.
    pub takeovers: u32,
    /// When that was last, milliseconds since 1970.
    pub taken_over_ms: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "gen.ts")]
pub enum Presence {
    /// Has not come yet, or left by itself.
    Away,
    /// Signaling is up, media is not yet.
    Joining,
    Present,
    /// Mất kết nối: was here, and its seat waits.
    Lost,
    /// Removed by the chair.
    Removed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "gen.ts")]
pub enum MicrophoneState {
    /// Open.
    On,
    /// Closed by the site itself.
    Off,
    /// Micro đã bị chủ tọa tắt.
    MutedByChair,
}

/// Link light, best first: Tốt / Trung bình / Kém / Mất kết nối.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "gen.ts")]
pub enum LinkGrade {
    Good,
    Fair,
    Poor,
    Disconnected,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "gen.ts")]
pub struct SiteLink {
    pub site: SiteId,
    pub grade: LinkGrade,
    /// Of the worse direction, 0–100, in tenths.
    pub loss_percent: f64,
    pub rtt_ms: Option<u32>,
}

/// Totals since the page's PeerConnection was made, from `getStats()`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "gen.ts")]
pub struct ClientReport {
    pub frames_decoded: u32,
    pub frames_dropped: u32,
    pub freezes: u32,
    pub freeze_seconds: f64,
    /// `availableOutgoingBitrate` of the selected candidate pair; what the site's uplink can carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub available_outgoing_bps: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "gen.ts")]
pub enum GoodbyeReason {
    /// The chair ended the meeting.
    Ended,
    /// The chair removed this site.
    Removed,
    /// Another device took the seat.
    TakenOver,
}

/// Stable codes. The text beside a code is for people, in Vietnamese, and may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "gen.ts")]
pub enum ErrorCode {
    /// No such join link.
    UnknownLink,
    /// Another device has the seat, be it lost or not; say `hello` with `takeover` to move it here.
    SeatTaken,
    /// The seat was moved to another device only just now; say the same again some seconds later.
    TakeoverTooSoon,
    /// The meeting has as many sites as it may have.
    MeetingFull,
    /// The chair has locked the meeting.
    MeetingLocked,
    /// The chair has removed this site.
    SiteRemoved,
    MeetingEnded,
    /// Page and server speak different versions; reload.
    Version,
    /// Too many attempts from this address.
    TooManyJoins,
    /// More messages than a connection may send.
    RateLimited,
    MessageTooLarge,
    MalformedMessage,
    /// A message that makes no sense now, such as an offer before hello.
    OutOfOrder,
    /// The role does not allow this act.
    Forbidden,
    UnknownSite,
    OfferMalformed,
    OfferTooLarge,
    OfferUnsupported,
    OfferChanged,
    WorkerFull,
    /// The server is shutting down.
    Draining,
    /// The server's own fault; the log has more.
    Internal,
}

/// As it is sent, for logs and metrics.
impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl ServerMessage {
    /// Every slot is empty.
    pub fn no_slots() -> ServerMessage {
        ServerMessage::Slots { video: Vec::new(), audio: Vec::new(), limits: Vec::new(), mixed: false }
    }
}
