//! Answers the offer on stdin as the golden tests do; a first argument names the file of the offer
//! before it. For `golden/record/record.mjs check`.

#[path = "../tests/golden/local.rs"]
mod local;

use std::io::Read;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let before = match std::env::args().nth(1) {
        Some(file) => Some(local::fixed_answer(&std::fs::read_to_string(file)?, None)?.0),
        None => None,
    };
    let mut offer = String::new();
    std::io::stdin().read_to_string(&mut offer)?;
    print!("{}", local::fixed_answer(&offer, before.as_ref())?.1);
    Ok(())
}
