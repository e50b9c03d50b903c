//! CONFORMANCE.md, from what was measured.

use super::cell::Cell;
use super::measure::Measured;
use super::promise::{Bound, Promise, Verdict};
use std::fmt::Write;

const HEAD: &str = "\
# Conformance

What a site behind a poor line hears and sees, as measured. `make conformance` writes this page; seeds are committed, so that
the same code gives the same numbers.

Each row is a meeting in virtual time: a hall with the chair, a speaker with the floor and others on good lines, and one site behind
the line. Hall, speaker and this site talk all the time. What is judged are packets of speech that arrived in time and frames that were
decoded at the far ends, never a counter of the server.

- **Speech**: the listener is a jitter buffer after libwebrtc's NetEQ (95 % of the delays of half a minute, a per cent of loss
  against 20 ms for what is resent, at most one second). *Concealed* is the share of time in which it had nothing to play, or left
  out what was too old. No sound is simulated. Intelligibility (STOI) follows it: speech of which 4 % was silenced has .95, 8 % .91 to .93, 15 % .85,
  30 % .69, measured with `tests/browser/lib/stoi.mjs`; so .97 is judged as 2.5 %, .95 as 4, .90 as 8, .85 as 15.
  Of a mix each voice in it is judged, and it counts whole as *a voice, with its protection*. That it is 40 to 100 ms later is not
  judged, nor that it is coded again: sentences through decoder, mixer and encoder alone have a STOI of .97 at 12 and 16 kbit/s and .98 at 24.
- **Pictures**: a decoder that needs whole frames and what they depend on. Frames have the sizes the page's encoders make them
  (150, 500, 1,800 kbit/s), key frames six times that. A freeze is the longest time one picture stood. A page that is presented is
  18 KB at half its size and 80 whole, as Chromium was seen to make one of 400 letters; at half its size all of them were read
  (Tesseract). *A page after it was turned* is until one in either size is there.
- **Offered ÷ carried**: what the server sent into the line against what it could carry, in the worst two seconds and the worst one, from
  the first packet of the handshake on; seconds in which the line was dead are left out. *Queue*: how long what was sent to
  the site waited for its turn.
- Losses begin 4 s after the join, so that no handshake is judged; numbers are from 8 s on, those of offered, carried and queue
  from the beginning. Silences of radio traces and blackouts, and 1.5 s after each, are left out of speech.
- The site's own encoder is taken to know its uplink and to send what 75 % of it carries, and 15 % again;
  behind a radio trace, of its mean, so speech up is not judged there. A page's patience after a blackout is
  that of a restart of ICE 2.5 s after its path went silent, once the line is there; its timeouts are judged in browsers.
- On a line of 250 kbit/s and more that loses packets on the way up, the site's speech goes up twice (RED) from 3 s after it began to, as
  the page in Chromium does; what is then still missing is asked for again.

";

const COLUMNS: &str = "\
| line | concealed down / up | longest gap | 99 % of gaps | buffer p95 here / hall | big screen: fps, 720p, freeze | small: freeze | in the hall: fps, freeze | \
queue p95 / max | offered / carried | ÷ 2 s / 1 s | back: speech / picture |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
";

/// Where the part begins that `tests/browser/conformance.mjs` writes.
const BROWSERS: &str = "\n## In browsers\n";

/// A new page with what browsers measured as it is in the old one.
pub fn with_browsers(page: String, old: &str) -> String {
    let kept = old.find(BROWSERS).and_then(|at| old.get(at..));
    page + kept.unwrap_or_default()
}

/// The page: each promise with what its cells measured, and each group of the matrix.
pub fn sheet(promises: &[(Promise, Vec<Measured>)], groups: &[(&str, Vec<(Cell, Measured)>)]) -> String {
    let mut text = HEAD.to_owned();
    let judged = promises.iter().map(|(promise, measured)| (promise, promise.judge(measured)));
    let judged: Vec<(&Promise, Vec<Verdict>)> = judged.collect();
    let all = || judged.iter().flat_map(|(_, verdicts)| verdicts);
    let kept = all().filter(|verdict| verdict.holds).count();
    let _ = writeln!(text, "## Promises\n\n{kept} of {} hold.\n", all().count());
    text.push_str("| line | what | promised | measured | |\n|---|---|--:|--:|---|\n");
    for (promise, verdicts) in &judged {
        verdicts.iter().for_each(|verdict| text.push_str(&row(promise, verdict)));
    }
    text.push_str("\nNot judged here: intelligibility and legibility themselves, other browsers' stacks, the page after a change of address,\n");
    text.push_str("a blocked UDP or a restart of the server, and how a line is shared with other flows.\n");
    for (heading, cells) in groups {
        let _ = write!(text, "\n## {heading}\n\nmilliseconds, kbit/s\n\n{COLUMNS}");
        cells.iter().for_each(|(cell, measured)| text.push_str(&cell_row(cell, measured)));
    }
    text
}

fn row(promise: &Promise, Verdict { metric, bound, value, holds }: &Verdict) -> String {
    let promised = match bound {
        Bound::AtMost(most) => format!("≤ {}", number(*most)),
        Bound::AtLeast(least) => format!("≥ {}", number(*least)),
    };
    let (name, unit) = (metric.name, metric.unit);
    let verdict = if *holds { "pass" } else { "**FAIL**" };
    let value = if *value > 900_000.0 { "never".to_owned() } else { format!("{} {unit}", number(*value)) };
    format!("| {} | {name} | {promised} {unit} | {value} | {verdict} |\n", promise.line)
}

/// With a digit behind the point where that tells something.
fn number(value: f64) -> String {
    if value.abs() < 10.0 { format!("{}", (value * 100.0).round() / 100.0) } else { format!("{value:.0}") }
}

fn cell_row(cell: &Cell, m: &Measured) -> String {
    if let Some(why) = &m.broken {
        return format!(
            "| {} | no meeting: {} |{}\n",
            cell.name(),
            why.replace(['|', '\n'], " "),
            " |".repeat(10)
        );
    }
    let per_cent = |share: f64| number(share * 100.0);
    let back = |ms: Option<f64>| ms.map_or("never".to_owned(), |ms| format!("{ms:.0}"));
    let columns = [
        cell.name(),
        format!("{} / {} %", per_cent(m.down.unplayable), per_cent(m.up.unplayable)),
        format!("{:.0} / {:.0}", m.down.longest_gap, m.up.longest_gap),
        format!("{:.0} / {:.0}", m.down.gap_p99, m.up.gap_p99),
        format!("{:.0} / {:.0}", m.down.buffer_p95, m.up.buffer_p95),
        format!("{:.0}, {:.0} %, {:.0}", m.big.frames_per_second, m.big.tallest * 100.0, m.big.freeze),
        if m.black > 0 { format!("{} black", m.black) } else { format!("{:.0}", m.tiles.freeze) },
        format!("{:.0}, {:.0}", m.in_hall.frames_per_second, m.in_hall.freeze),
        format!("{:.0} / {:.0}", m.queue_p95, m.queue_max),
        format!("{:.0} / {:.0}", m.offered, m.carried),
        m.flood.map_or("–".to_owned(), |f| format!("{} / {}", number(f.two_seconds), number(f.second))),
        if cell.blackout_s == 0 {
            "–".to_owned()
        } else {
            format!("{} / {}", back(m.speech_back), back(m.picture_back))
        },
    ];
    format!("| {} |\n", columns.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::super::promises::promises;
    use super::*;

    #[test]
    fn what_browsers_measured_stays() {
        let old = "old\n## In browsers\n\n| a row |\n";
        assert_eq!(with_browsers("new\n".to_owned(), old), "new\n\n## In browsers\n\n| a row |\n");
        assert_eq!(with_browsers("new\n".to_owned(), "old"), "new\n");
    }

    #[test]
    fn the_sheet_says_what_holds_and_what_does_not() {
        let promises: Vec<_> =
            promises().into_iter().take(1).map(|promise| (promise, vec![Measured::default()])).collect();
        let broken = Measured { broken: Some("no\nline".to_owned()), ..Measured::default() };
        let groups = [("A group", vec![(Cell::default(), Measured::default()), (Cell::default(), broken)])];
        let text = sheet(&promises, &groups);
        assert!(text.contains("| a clean line | speech concealed, down | ≤ 0.5 % | 0 % | pass |"), "{text}");
        assert!(
            text.contains("| a clean line | frames on the big screen | ≥ 24 /s | 0 /s | **FAIL** |"),
            "{text}"
        );
        assert!(text.contains("5 of 7 hold"), "{text}");
        let columns = |line: &str| line.matches('|').count();
        let table: Vec<usize> =
            text.split("## A group").nth(1).map(|t| t.lines().map(columns).collect()).unwrap_or_default();
        assert!(table.iter().filter(|count| **count > 0).all(|count| *count == 13), "{table:?}");
        assert!(text.contains("no meeting: no line"));
    }
}
