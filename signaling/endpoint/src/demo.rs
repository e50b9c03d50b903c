//! The commune sites of `nhipcau demo`: each speaks in its turn and comes back for ever.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::client::jittered;
use super::options::{Audio, Options, Trust, Turn, Video};
use super::{Endpoint, JoinLink};

/// The demo's sites look at one other site each: enough to exercise the bridge, cheap enough for
/// the machine that also shows the meeting.
const SLOTS: usize = 1;
/// Pause before a site that was refused tries again.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// Running demo sites; dropping it ends them.
pub struct DemoSites {
    _sites: JoinSet<()>,
}

/// Starts one site per name and join link, on the current tokio runtime. Links the demo's own
/// server made are trusted whatever its certificate.
pub fn start_sites(links: Vec<(String, JoinLink)>) -> DemoSites {
    let since = Instant::now();
    let count = links.len() as u32;
    let mut sites = JoinSet::new();
    for (index, (name, link)) in links.into_iter().enumerate() {
        let turn = Turn { index: index as u32, count, since };
        sites.spawn(keep_in_meeting(link, options(name, index, turn)));
    }
    DemoSites { _sites: sites }
}

fn options(name: String, index: usize, turn: Turn) -> Options {
    Options {
        audio: Audio::Speech { clip: index, turn },
        video: Video::Picture { name: Some(name), number: index as u8, marker: false },
        slots: SLOTS,
        audio_only_slots: 1,
        takeover: true,
        trust: Trust::Anybody,
        reconnect: true,
        ..Options::default()
    }
}

/// A demo site belongs to the demo: even the chair's "remove" only lasts until it is let in again.
async fn keep_in_meeting(link: JoinLink, options: Options) {
    loop {
        match Endpoint::connect(link.clone(), options.clone()).await {
            Ok(endpoint) => endpoint.ended().await,
            Err(error) => tracing::warn!(%error, "a demo site is not in the meeting"),
        }
        tokio::time::sleep(jittered(TRY_AGAIN)).await;
    }
}
