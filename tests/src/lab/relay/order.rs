//! What a relay can be told, a line of text each.

use crate::lab::{Bursts, Capacity, Trace, WayModel};
use std::time::Duration;

/// One line of text.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// `set up|down|both KEY VALUE …`: rate (bits/s, 0 for no limit), trace (lte:SEED, starlink:SEED or a file of mahimahi),
    /// queue, delay, jitter, held (milliseconds), loss, bursts, reorder, duplicate (shares). What is not named stays.
    Set(Vec<Side>, Vec<Change>),
    /// `clean`: both directions are perfect.
    Clean,
    /// `black MILLISECONDS`: from now on nothing passes for so long.
    Black(Duration),
    /// `rebind`: the server sees UDP from other ports from now on.
    Rebind,
    /// `udp on|off`.
    Udp(Udp),
    /// `mark`: reports begin here.
    Mark,
    /// `report`: a line of JSON, what went on since the mark.
    Report,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Up,
    Down,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Udp {
    Passes,
    Blocked,
}

/// A value of one direction.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    Capacity(Capacity),
    Queue(Duration),
    Delay(Duration),
    Jitter(Duration),
    HeldBack(Duration),
    Loss(f64),
    Bursts(Option<Bursts>),
    Reorder(f64),
    Duplicate(f64),
}

impl Change {
    pub fn apply(&self, model: &mut WayModel) {
        match self {
            Change::Capacity(capacity) => model.capacity = capacity.clone(),
            Change::Queue(queue) => model.queue = *queue,
            Change::Delay(delay) => model.delay = *delay,
            Change::Jitter(jitter) => model.jitter = *jitter,
            Change::HeldBack(held_back) => model.held_back = *held_back,
            Change::Loss(loss) => model.loss = *loss,
            Change::Bursts(bursts) => model.bursts = *bursts,
            Change::Reorder(reorder) => model.reorder = *reorder,
            Change::Duplicate(duplicate) => model.duplicate = *duplicate,
        }
    }

    fn read(key: &str, value: &str) -> Result<Change, String> {
        let wrong = || format!("{key} {value}: no value of it");
        let number =
            || value.parse::<f64>().ok().filter(|number| (0.0..1e12).contains(number)).ok_or_else(wrong);
        let ms = || number().map(|ms| Duration::from_secs_f64(ms / 1000.0));
        let share = || number().and_then(|share| if share <= 1.0 { Ok(share) } else { Err(wrong()) });
        Ok(match key {
            "rate" => Change::Capacity(match number()? {
                0.0 => Capacity::Unlimited,
                rate => Capacity::Rate(rate),
            }),
            "trace" => Change::Capacity(Capacity::Trace(trace(value).ok_or_else(wrong)?)),
            "queue" => Change::Queue(ms()?),
            "delay" => Change::Delay(ms()?),
            "jitter" => Change::Jitter(ms()?),
            "held" => Change::HeldBack(ms()?),
            "loss" => Change::Loss(share()?),
            "bursts" => Change::Bursts(Some(share()?).filter(|share| *share > 0.0).map(Bursts::of)),
            "reorder" => Change::Reorder(share()?),
            "duplicate" => Change::Duplicate(share()?),
            _ => return Err(format!("{key}: no key")),
        })
    }
}

fn trace(value: &str) -> Option<Trace> {
    let made = value.split_once(':').and_then(|(kind, seed)| Some((kind, seed.parse().ok()?)));
    match made {
        Some(("lte", seed)) => Some(Trace::lte(seed)),
        Some(("starlink", seed)) => Some(Trace::starlink(seed)),
        _ => Trace::read(&std::fs::read_to_string(value).ok()?),
    }
}

impl Order {
    pub fn read(line: &str) -> Result<Order, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["set", side, ref changes @ ..] if !changes.is_empty() => set(side, changes),
            ["clean"] => Ok(Order::Clean),
            ["black", ms] => {
                let ms = ms.parse().map_err(|_| format!("{ms}: no milliseconds"))?;
                Ok(Order::Black(Duration::from_millis(ms)))
            }
            ["rebind"] => Ok(Order::Rebind),
            ["udp", "on"] => Ok(Order::Udp(Udp::Passes)),
            ["udp", "off"] => Ok(Order::Udp(Udp::Blocked)),
            ["mark"] => Ok(Order::Mark),
            ["report"] => Ok(Order::Report),
            _ => Err(format!("{line}: no order")),
        }
    }
}

fn set(side: &str, changes: &[&str]) -> Result<Order, String> {
    let sides = match side {
        "up" => vec![Side::Up],
        "down" => vec![Side::Down],
        "both" => vec![Side::Up, Side::Down],
        _ => return Err(format!("{side}: up, down or both")),
    };
    let change = |pair: &[&str]| match pair {
        [key, value] => Change::read(key, value),
        _ => Err(format!("{}: without a value", pair.concat())),
    };
    Ok(Order::Set(sides, changes.chunks(2).map(change).collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_and_what_is_none_is_refused() {
        let ms = Duration::from_millis;
        assert_eq!(Order::read("black 1500"), Ok(Order::Black(ms(1500))));
        assert_eq!(Order::read(" udp off "), Ok(Order::Udp(Udp::Blocked)));
        let set = Order::read("set both rate 512000 queue 300 bursts 0.2 loss 0.05").expect("an order");
        let Order::Set(sides, changes) = set else { panic!("{set:?}") };
        let mut model = WayModel { delay: ms(7), ..WayModel::default() };
        changes.iter().for_each(|change| change.apply(&mut model));
        let bursts = Some(Bursts { good: ms(240), bad: ms(60) });
        let capacity = Capacity::Rate(512_000.0);
        let expected =
            WayModel { capacity, queue: ms(300), loss: 0.05, bursts, delay: ms(7), ..WayModel::default() };
        assert_eq!((sides, model), (vec![Side::Up, Side::Down], expected));
        let is_lte = |order| matches!(order, Ok(Order::Set(_, changes)) if changes == [Change::Capacity(Capacity::Trace(Trace::lte(3)))]);
        assert!(is_lte(Order::read("set down trace lte:3")));
        for wrong in [
            "",
            "set",
            "set up",
            "set up rate",
            "set up loss 2",
            "set up loss -1",
            "set in rate 1",
            "set up x 1",
            "black x",
            "udp",
            "set up trace lte:x",
        ] {
            assert!(Order::read(wrong).is_err(), "{wrong}");
        }
    }
}
