//! `web/src/protocol/gen.ts` has the types of `signaling/protocol/src/lib.rs`. `UPDATE_PROTOCOL=1` rewrites it (`make
//! protocol`); without it a difference fails.

use serde_json::Value;
use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use protocol::*;
use ts_rs::{Config, TS, TypeVisitor};

const HEADER: &str = "// Generated from signaling/protocol/src/lib.rs by `make protocol`; do not edit.\n\n";

/// Collects each type once. They are put in the order of their names: the order in which ts-rs meets
/// them changes from one compilation to the next.
struct Declarations {
    config: Config,
    seen: Vec<TypeId>,
    by_name: BTreeMap<String, String>,
}

impl TypeVisitor for Declarations {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if T::output_path().is_none() || self.seen.contains(&TypeId::of::<T>()) {
            return;
        }
        self.seen.push(TypeId::of::<T>());
        let docs = T::docs().unwrap_or_default();
        let declaration = T::decl(&self.config).replace(" | { \"", "\n  | { \"");
        let text = format!("{docs}export {declaration}\n\n");
        self.by_name.insert(T::name(&self.config), text);
        T::visit_dependencies(self);
    }
}

fn generate() -> String {
    // JSON numbers: milliseconds since 1970 stay exact in a double for 285,000 years.
    let mut declarations = Declarations {
        config: Config::new().with_large_int("number"),
        seen: Vec::new(),
        by_name: BTreeMap::new(),
    };
    declarations.visit::<ClientMessage>();
    declarations.visit::<ServerMessage>();
    declarations.visit::<InvitationView>();
    let mut text = HEADER.to_owned();
    text.extend(declarations.by_name.into_values());
    for (name, value) in [
        ("VERSION", u64::from(VERSION)),
        ("SILENCE_TIMEOUT_S", SILENCE_TIMEOUT_S),
        ("MAX_MESSAGE_BYTES", MAX_MESSAGE_BYTES as u64),
    ] {
        text.push_str(&format!("export const {name} = {value};\n"));
    }
    text
}

#[test]
fn the_committed_typescript_is_what_the_rust_types_give() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../web/src/protocol/gen.ts");
    let wanted = generate();
    if std::env::var_os("UPDATE_PROTOCOL").is_some() {
        std::fs::write(&path, &wanted).expect("web/src/protocol can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == wanted, "{} is out of date; run `make protocol` and commit it", path.display());
}

/// One of each kind of message, and of each act.
fn all_site_messages() -> Vec<ClientMessage> {
    let site = SiteId(1);
    let wish = SlotWish { site, kind: SourceKind::Camera, max_height: 360 };
    let acts = [
        Action::Mute { site },
        Action::AllowUnmute { site },
        Action::MuteAll {},
        Action::AllowUnmuteAll {},
        Action::BigScreen { site: Some(site) },
        Action::Remove { site },
        Action::Readmit { site },
        Action::Lock { locked: true },
        Action::End {},
    ];
    let mut all = vec![
        ClientMessage::Hello { version: VERSION, token: "t".into(), seat: Some("s".into()), takeover: true },
        ClientMessage::Offer { sdp: Sdp::Plain("v=0".to_owned()) },
        ClientMessage::Wishes { slots: vec![Some(wish), None] },
        ClientMessage::Hearing { mixed: true },
        ClientMessage::Media { microphone: true, camera: true, content: false },
        ClientMessage::Report { report: ClientReport::default() },
        ClientMessage::Ping { n: 1 },
        ClientMessage::Pong { n: 1 },
        ClientMessage::Leave {},
    ];
    all.extend(acts.map(|action| ClientMessage::Act { action }));
    all
}

/// The same with one more field, once in each object.
fn with_one_more(value: &Value) -> Vec<Value> {
    let mut grown = Vec::new();
    match value {
        Value::Object(fields) => {
            let mut more = fields.clone();
            more.insert("more".to_owned(), 1.into());
            grown.push(Value::Object(more));
            for (name, inner) in fields {
                grown.extend(with_one_more(inner).into_iter().map(|inner| {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), inner);
                    Value::Object(fields)
                }));
            }
        }
        Value::Array(items) => {
            for (i, inner) in items.iter().enumerate() {
                grown.extend(with_one_more(inner).into_iter().map(|inner| {
                    let mut items = items.clone();
                    items[i] = inner;
                    Value::Array(items)
                }));
            }
        }
        _ => {}
    }
    grown
}

#[test]
fn a_field_that_the_protocol_does_not_know_is_refused_in_every_message() {
    for message in all_site_messages() {
        let json = serde_json::to_value(&message).expect("JSON");
        assert_eq!(serde_json::from_value(json.clone()).ok(), Some(message));
        let grown = with_one_more(&json);
        assert!(!grown.is_empty());
        for grown in grown {
            assert!(serde_json::from_value::<ClientMessage>(grown.clone()).is_err(), "{grown} is taken");
        }
    }
}

#[test]
fn all_site_messages_are_all() {
    let generated = generate();
    let all = all_site_messages().into_iter().map(|m| serde_json::to_value(m).expect("JSON"));
    let all: Vec<Value> = all.collect();
    for (name, tag, said) in [
        ("ClientMessage", "type", all.iter().collect::<Vec<_>>()),
        ("Action", "kind", all.iter().filter_map(|m| m.get("action")).collect()),
    ] {
        let declaration = generated.split("\n\n").find(|d| d.contains(&format!("export type {name} =")));
        let before_tag = format!("\"{tag}\": \"");
        let tags = declaration.expect("declared").split(&before_tag).skip(1);
        let declared: BTreeSet<_> = tags.filter_map(|t| t.split('"').next()).collect();
        let said: BTreeSet<_> = said.iter().filter_map(|m| m[tag].as_str()).collect();
        assert_eq!(said, declared);
    }
}

#[test]
fn no_number_needs_a_bigint() {
    assert!(!generate().contains("bigint"), "JSON.parse never yields a bigint");
}
