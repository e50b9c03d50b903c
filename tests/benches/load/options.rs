//! The command line.

use clap::{Parser, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// Measures a `nhipcau serve` over real sockets and prints the table of BENCHMARKS.md.
#[derive(Debug, Clone, Parser)]
pub struct Options {
    /// The server; without it `nhipcau` of the profile this program was built with.
    #[arg(long, env = "LOAD_SERVER")]
    pub server: Option<PathBuf>,
    /// Small numbers and short windows: shows that all of it works, and its figures mean nothing.
    #[arg(long)]
    pub quick: bool,
    /// Only these parts, separated by commas.
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<Part>,
    /// Rounds of which the median is taken; 3, or 1 with --quick.
    #[arg(long)]
    pub rounds: Option<usize>,
    /// Receivers of one meeting while the capacity of a core is looked for; 100, or 10 with --quick.
    #[arg(long)]
    pub room: Option<usize>,
    /// Receivers with which the search for the capacity of a core begins; 400, or 20 with --quick.
    #[arg(long)]
    pub start: Option<usize>,
    /// Takes so many receivers as held, without a search: only what is below and above that is measured.
    #[arg(long)]
    pub held: Option<usize>,
    /// What cargo passes to every bench.
    #[arg(long, hide = true)]
    bench: bool,
    /// This is the program inside its namespace.
    #[arg(long, hide = true)]
    pub inside: bool,
    /// This is the floor's sender: `gso` or `single`; addresses come by standard input.
    #[arg(long, hide = true)]
    pub floor: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// One publisher and many receivers: CPU per packet, memory.
    Cost,
    /// All to all.
    Meeting,
    /// How long a site waits for its first picture.
    Joins,
    /// Receivers held by one core, delay below that, overload above.
    Capacity,
    /// What is taken away where the machine is busy with others, and after the process was stopped.
    Host,
}

impl Options {
    pub fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    pub fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 1 } else { 3 }).max(1)
    }

    pub fn room(&self) -> usize {
        self.room.unwrap_or(if self.quick { 10 } else { 100 }).max(1)
    }

    pub fn start(&self) -> usize {
        self.start.unwrap_or(if self.quick { 20 } else { 400 }).max(1)
    }

    pub fn settling(&self) -> Duration {
        Duration::from_secs(if self.quick { 1 } else { 5 })
    }

    pub fn window(&self) -> Duration {
        Duration::from_secs(if self.quick { 2 } else { 10 })
    }

    /// Why the figures of this run mean nothing.
    pub fn means_nothing(&self) -> Option<&'static str> {
        let is_debug = |path: &PathBuf| path.parent().is_some_and(|folder| folder.ends_with("debug"));
        match self.server() {
            _ if self.quick => Some("A trial with small numbers"),
            Ok(path) if is_debug(&path) => Some("A debug build of the server"),
            _ => None,
        }
    }

    /// By default beside this program, which is in the `deps` of its profile.
    pub fn server(&self) -> Result<PathBuf, String> {
        let beside = || {
            let own = std::env::current_exe().ok()?;
            Some(own.parent()?.parent()?.join("nhipcau"))
        };
        let path = self.server.clone().or_else(beside).unwrap_or_default();
        let path = path.canonicalize().map_err(|_| {
            format!(
                "no server at {}: build it (cargo build --release -p signaling) or say --server PATH",
                path.display()
            )
        })?;
        Ok(path)
    }
}
