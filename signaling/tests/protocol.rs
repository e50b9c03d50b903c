//! `web/src/protocol/gen.ts` says what `signaling/src/protocol.rs` says. `UPDATE_PROTOCOL=1` rewrites it
//! (`make protocol`); without it a difference fails.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::path::PathBuf;

use signaling::protocol::*;
use ts_rs::{Config, TS, TypeVisitor};

const HEADER: &str = "// Generated from signaling/src/protocol.rs by `make protocol`; do not edit.\n\n";

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
fn the_committed_typescript_is_what_the_rust_types_say() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../web/src/protocol/gen.ts");
    let wanted = generate();
    if std::env::var_os("UPDATE_PROTOCOL").is_some() {
        std::fs::write(&path, &wanted).expect("web/src/protocol can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == wanted, "{} is out of date; run `make protocol` and commit it", path.display());
}

#[test]
fn no_number_needs_a_bigint() {
    assert!(!generate().contains("bigint"), "JSON.parse never yields a bigint");
}
