//! Attempts that are begun anew while the ones before still run: the first that succeeds counts.

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use std::pin::pin;

/// Begins an attempt now and another one after each pause, as long as none has ended well. An attempt that fails is the
/// end only when no other one runs.
pub async fn anew<T, E, F, P>(pause: impl Fn() -> P, attempt: impl Fn() -> F) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
    P: Future<Output = ()>,
{
    let mut running = FuturesUnordered::new();
    loop {
        running.push(attempt());
        let mut pause = pin!(pause());
        // Until the pause is over.
        while let Either::Left((Some(ended), _)) = select(running.next(), pause.as_mut()).await {
            if ended.is_ok() || running.is_empty() {
                return ended;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::future::{pending, ready};
    use tokio::task::yield_now;

    /// How an attempt ends, and how often others get a turn before.
    type End = Option<(usize, Result<(), ()>)>;

    /// What comes of attempts with such ends and so many pauses; in it their number.
    async fn outcome(ends: &[End], pauses: usize) -> Result<usize, usize> {
        let (begun, paused) = (Cell::new(0), Cell::new(0));
        let pause = || {
            paused.set(paused.get() + 1);
            let is_over = paused.get() <= pauses;
            async move { if is_over { ready(()).await } else { pending().await } }
        };
        let attempt = || {
            let number = begun.replace(begun.get() + 1);
            let end = ends[number];
            async move {
                let Some((turns, end)) = end else { return pending().await };
                for _ in 0..turns {
                    yield_now().await;
                }
                end.map(|()| number).map_err(|()| number)
            }
        };
        anew(pause, attempt).await
    }

    /// The system repeats what was sent into a dead line ever more seldom.
    #[tokio::test]
    async fn what_was_begun_in_the_dark_is_not_waited_for() {
        assert_eq!(outcome(&[None, None, None, Some((0, Ok(())))], 3).await, Ok(3));
    }

    #[tokio::test]
    async fn an_attempt_over_a_satellite_is_not_given_up_for_those_after_it() {
        assert_eq!(outcome(&[Some((9, Ok(()))), None, None], 2).await, Ok(0));
    }

    #[tokio::test]
    async fn a_refusal_is_one_at_once_unless_another_attempt_may_do_better() {
        assert_eq!(outcome(&[Some((0, Err(())))], 0).await, Err(0));
        assert_eq!(outcome(&[Some((2, Err(()))), Some((5, Ok(())))], 1).await, Ok(1));
    }
}
