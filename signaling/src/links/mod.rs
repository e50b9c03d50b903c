//! The lines of all sites: how good each is, and what sites are told of it.

mod grade;
mod lights;

pub use grade::Grader;
pub use lights::Lights;
