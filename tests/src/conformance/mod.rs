//! What a site behind a poor line hears and sees: meetings of the simulation with a line of the laboratory before one site,
//! judged by what clients could play and show, never by counters of the server; and the sheet made of it.

mod cell;
mod matrix;
mod measure;
mod meeting;
mod pictures;
mod playout;
mod promise;
mod promises;
mod run;
mod sheet;

pub use cell::{Cell, Limit, Loss, Sides};
pub use matrix::matrix;
pub use measure::Measured;
pub use playout::{Piece, Playout, play};
pub use promise::{Promise, Verdict};
pub use promises::promises;
pub use run::run_all;
pub use sheet::{sheet, with_browsers};
