// Generated from signaling/protocol/src/lib.rs by `make protocol`; do not edit.

/**
 * Acts that change the meeting for others. Written `{}` for the same reason as in [`ClientMessage`].
 */
export type Action = { "kind": "mute", site: SiteId, }
  | { "kind": "allow_unmute", site: SiteId, }
  | { "kind": "mute_all", }
  | { "kind": "allow_unmute_all", }
  | { "kind": "big_screen", site: SiteId | null, }
  | { "kind": "remove", site: SiteId, }
  | { "kind": "readmit", site: SiteId, }
  | { "kind": "lock", locked: boolean, }
  | { "kind": "end", };

/**
 * Names of [`Action`]s, for the list of what one may do.
 */
export type ActionKind = "mute" | "allow_unmute" | "mute_all" | "allow_unmute_all" | "big_screen" | "remove" | "readmit" | "lock" | "end" | "share_content";

/**
 * What a site says. What has no fields is written `{}`: serde would let a unit variant have any.
 */
export type ClientMessage = { "type": "hello", version: number, 
/**
 * The secret part of the join link.
 */
token: string, 
/**
 * The secret given in `welcome`, when a known participant comes back.
 */
seat?: string, 
/**
 * Take the seat over from another device that holds it, or held it when it was lost. The chair sees it.
 */
takeover: boolean, }
  | { "type": "offer", sdp: Sdp, }
  | { "type": "wishes", slots: Array<SlotWish | null>, }
  | { "type": "hearing", mixed: boolean, }
  | { "type": "media", microphone: boolean, camera: boolean, content: boolean, }
  | { "type": "report", report: ClientReport, }
  | { "type": "ping", n: number, }
  | { "type": "pong", n: number, }
  | { "type": "act", action: Action, }
  | { "type": "leave", };

/**
 * Totals since the page's PeerConnection was made, from `getStats()`.
 */
export type ClientReport = { frames_decoded: number, frames_dropped: number, freezes: number, freeze_seconds: number, 
/**
 * `availableOutgoingBitrate` of the selected candidate pair; what the site's uplink can carry.
 */
available_outgoing_bps?: number, };

/**
 * Stable codes. The text beside a code is for people, in Vietnamese, and may change.
 */
export type ErrorCode = "unknown_link" | "seat_taken" | "takeover_too_soon" | "meeting_full" | "meeting_locked" | "site_removed" | "meeting_ended" | "version" | "too_many_joins" | "rate_limited" | "message_too_large" | "malformed_message" | "out_of_order" | "forbidden" | "unknown_site" | "offer_malformed" | "offer_too_large" | "offer_unsupported" | "offer_changed" | "worker_full" | "draining" | "internal";

export type GoodbyeReason = "ended" | "removed" | "taken_over";

/**
 * Where a link leads: what `GET /invitation` tells whoever has it (`Authorization: Bearer` and its secret), before
 * it joins.
 */
export type InvitationView = { 
/**
 * The meeting's title.
 */
meeting: string, 
/**
 * The name of the site in whose name the link joins.
 */
site: string, };

/**
 * Whose doing it is: the line of who looks, the site that is looked at, or the server.
 */
export type LimitedBy = "viewer" | "publisher" | "server";

/**
 * Link light, best first: Tốt / Trung bình / Kém / Mất kết nối.
 */
export type LinkGrade = "good" | "fair" | "poor" | "disconnected";

/**
 * The meeting as everybody may see it.
 */
export type MeetingView = { title: string, 
/**
 * Milliseconds since 1970, or `null` before the first site came.
 */
started_at_ms: number | null, locked: boolean, big_screen: SiteId | null, 
/**
 * All invited sites, the chair's first, then in the order of the configuration.
 */
sites: Array<SiteView>, 
/**
 * What the receiver of this message may do now.
 */
actions: Array<ActionKind>, };

export type MicrophoneState = "on" | "off" | "muted_by_chair";

export type Presence = "away" | "joining" | "present" | "lost" | "removed";

export type Role = "chair" | "site";

/**
 * SDP, plain or deflated (raw DEFLATE, RFC 1951, then base64): 98 KB become 2.4. The server answers a plain
 * offer with a plain answer: not everybody can inflate.
 */
export type Sdp = { "plain": string }
  | { "deflated": string };

/**
 * What the server says.
 */
export type ServerMessage = { "type": "welcome", version: number, you: SiteId, role: Role, 
/**
 * Secret that takes this seat again after any time; keep it in `sessionStorage`.
 */
seat: string, 
/**
 * What this site may do now; changes arrive with every `meeting`.
 */
actions: Array<ActionKind>, }
  | { "type": "refused", code: ErrorCode, text: string, }
  | { "type": "error", code: ErrorCode, text: string, }
  | { "type": "answer", sdp: Sdp, }
  | { "type": "meeting", meeting: MeetingView, }
  | { "type": "slots", video: Array<SlotSource | null>, audio: Array<SlotSource | null>, limits: Array<SlotLimit | null>, mixed: boolean, }
  | { "type": "speakers", sites: Array<SiteId>, }
  | { "type": "layers", kind: SourceKind, layers: Array<boolean>, }
  | { "type": "links", links: Array<SiteLink>, }
  | { "type": "link_changes", links: Array<SiteLink>, }
  | { "type": "ping", n: number, }
  | { "type": "pong", n: number, }
  | { "type": "goodbye", reason: GoodbyeReason, }
  | { "type": "media_moved" }
  | { "type": "media_stalled" }
  | { "type": "draining", retry_after_ms: number, };

/**
 * A site's number within its meeting, stable for the meeting's life.
 */
export type SiteId = number;

export type SiteLink = { site: SiteId, grade: LinkGrade, 
/**
 * Of the worse direction, 0–100, in tenths.
 */
loss_percent: number, rtt_ms: number | null, };

export type SiteView = { id: SiteId, 
/**
 * Name as given for this meeting, NFC.
 */
name: string, role: Role, presence: Presence, 
/**
 * When `presence` last changed, milliseconds since 1970; `null` if it never has.
 */
since_ms: number | null, 
/**
 * What this site says it sends; a line that stands still turns nothing off. Content is told with its
 * first picture. Of a site that never said `media` it is what the bridge receives.
 */
microphone: MicrophoneState, camera: boolean, content: boolean, 
/**
 * How often the site has come back after a loss.
 */
reconnections: number, 
/**
 * How often another device has taken the seat from the one that had it, in this meeting.
 */
takeovers: number, 
/**
 * When that was last, milliseconds since 1970.
 */
taken_over_ms: number | null, };

/**
 * What a video slot shows less of than was wished for.
 */
export type SlotLimit = { shows: SlotShows, by: LimitedBy, };

/**
 * What is left of a picture: a smaller one that moves, fewer frames, a still every few seconds, or the last one.
 */
export type SlotShows = "lower" | "fewer" | "stills" | "held";

export type SlotSource = { site: SiteId, kind: SourceKind, };

export type SlotWish = { site: SiteId, kind: SourceKind, 
/**
 * Tallest picture worth receiving, in lines: the best layer that is not taller comes, or the lowest there
 * is. A layer is half of the next, so less than twice the tile asks for the one that fills it.
 */
max_height: number, };

export type SourceKind = "microphone" | "camera" | "content";

export const VERSION = 2;
export const SILENCE_TIMEOUT_S = 15;
export const MAX_MESSAGE_BYTES = 163840;
