//! What is received of one publisher: order, loss, what is asked for again, what is remembered and what we report back.
//! Small machines that are passed the time; none knows of rooms or transports.

pub mod cache;
pub mod cap;
pub mod feedback;
pub mod height;
pub mod keyframe;
pub mod nack;
pub mod page;
pub mod rate;
pub mod stream;
