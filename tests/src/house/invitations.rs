//! The configuration of a house: what lasts when its process dies.

use signaling::config::Config;
use std::fmt::Write;

/// So many sites in each meeting; the first of each is the chair's.
pub fn config(meetings: &[usize]) -> Config {
    let mut text = String::new();
    for (meeting, sites) in meetings.iter().enumerate() {
        write!(text, "[[meetings]]\ntitle = \"{}\"\nsites = [\n", title(meeting)).expect("a string");
        for number in 0..*sites {
            let role = if number == 0 { "chair" } else { "site" };
            let link = token(meeting, number);
            writeln!(text, "{{ name = \"{link}\", role = \"{role}\", token = \"{link}\" }},")
                .expect("a string");
        }
        text.push_str("]\n");
    }
    Config::from_toml(&text).expect("settings")
}

fn title(meeting: usize) -> String {
    format!("Giao ban {meeting}")
}

/// The secret of a link.
pub fn token(meeting: usize, number: usize) -> String {
    format!("link-{meeting}-{number}")
}
