//! Which section each of the bridge's SSRCs sends in, by the answer and by the packets (MID, RFC 9143).

use super::outgoing::MID;
use rtc::interceptor::Packet;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtp;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub struct Sections {
    /// By SSRC, from the answer.
    mids: BTreeMap<u32, String>,
    /// SSRCs that were received, and of these the ones reported on.
    received: BTreeSet<u32>,
    reported: BTreeSet<u32>,
    /// Packets that named their section.
    pub named: u64,
}

impl Sections {
    /// A later answer keeps the SSRCs of the first, and may add some.
    pub fn read(&mut self, answer: &str) {
        for section in answer.split("m=").skip(1) {
            let values = |key: &'static str| section.lines().filter_map(move |line| line.strip_prefix(key));
            let mid = values("a=mid:").next().expect("a mid");
            let ssrcs = values("a=ssrc:").filter_map(|line| line.split(' ').next()?.parse().ok());
            self.mids.extend(ssrcs.map(|ssrc| (ssrc, mid.to_owned())));
        }
    }

    /// A receiver that goes by MID alone must get it until it has reported on the SSRC.
    pub fn check(&mut self, header: &rtp::Header) -> Result<(), String> {
        self.received.insert(header.ssrc);
        let named = header.get_extension(MID).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        self.named += u64::from(named.is_some());
        match (named, self.mids.get(&header.ssrc)) {
            (None, _) if self.reported.contains(&header.ssrc) => Ok(()),
            (Some(named), Some(mid)) if named == *mid => Ok(()),
            (named, mid) => Err(format!("ssrc {} of section {mid:?} names {named:?}", header.ssrc)),
        }
    }

    /// Reports on what was received.
    pub fn report(&mut self, ssrc: u32) -> Packet {
        self.reported.clone_from(&self.received);
        let block = |ssrc: &u32| ReceptionReport { ssrc: *ssrc, ..Default::default() };
        let reports = self.received.iter().map(block).collect();
        Packet::Rtcp(vec![Box::new(ReceiverReport { ssrc, reports, ..Default::default() })])
    }
}
