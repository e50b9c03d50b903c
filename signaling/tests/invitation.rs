//! Where a link leads is shown to a client that has it, and to no other.

mod common;

use common::{AN_PHUOC, CHAIR, Server, config, get};
use serde_json::Value;

#[tokio::test]
async fn a_link_says_where_it_leads_and_takes_no_seat() {
    let server = Server::start().await;
    let mut chair = server.enter(CHAIR).await;
    let bearer = format!("Bearer {AN_PHUOC}");
    let (head, body) = get(server.http, "/invitation", &[("Authorization", &bearer)]).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.to_lowercase().contains("cache-control: no-store"), "{head}");
    let told: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(told, serde_json::json!({"meeting": "Giao ban", "site": "An Phước"}));
    // The next thing the chair sees of the site is its coming: asking was none.
    let mut site = server.enter(AN_PHUOC).await;
    let seen = chair.sees(site.id, |site| site["presence"] != "away").await;
    assert_eq!(seen["reconnections"], 0);
    site.say(serde_json::json!({"type": "leave"})).await;
}

#[tokio::test]
async fn a_stranger_learns_nothing_and_may_guess_as_often_as_join() {
    let mut config = config();
    config.limits.failed_joins_per_address_per_minute = 3;
    let server = Server::start_with(config).await;
    let wrong = "Bearer 00000000000000000000000000000000";
    let attempts: [&[(&str, &str)]; 5] = [
        &[],
        &[("Authorization", wrong)],
        &[("Authorization", AN_PHUOC)],
        &[("Authorization", wrong)],
        &[("Cookie", AN_PHUOC)],
    ];
    let mut codes = Vec::new();
    for headers in attempts {
        let (head, body) = get(server.http, "/invitation", headers).await;
        assert!(!body.contains("Giao ban") && !body.contains("An Phước"), "{body}");
        let refused: Value = serde_json::from_str(&body).expect("JSON");
        let status = head.split(' ').nth(1).expect("a status").to_owned();
        codes.push((status, refused["code"].as_str().expect("a code").to_owned()));
    }
    let expected = |status: &str, code: &str| (status.to_owned(), code.to_owned());
    let unknown = expected("404", "unknown_link");
    let too_many = expected("429", "too_many_joins");
    assert_eq!(codes, [unknown.clone(), unknown.clone(), unknown, too_many.clone(), too_many]);
    // A client with a link is not held up by others that guess.
    let bearer = format!("Bearer {AN_PHUOC}");
    let (head, _) = get(server.http, "/invitation", &[("Authorization", &bearer)]).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
}
