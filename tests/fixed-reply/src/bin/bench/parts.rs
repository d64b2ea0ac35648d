//! The parts of the bench: what each needs, and how long it takes in full and in short. What is not asked for costs
//! nothing, not even a program to install.

use anyhow::Result;
use clap::ValueEnum;

use super::comparison::Pace;
use super::memory::Think;
use super::tools::Tools;
use super::{calls, extras, idle, instructions, memory, neighbour, speed, swaps};

/// How much is measured.
#[derive(Debug, clap::Args)]
pub struct Scale {
    /// Runs of each generator, of which the median is shown [default: 5, quick: 3]
    #[arg(long)]
    runs: Option<usize>,
    /// Length of each run [default: 8, quick: 2]
    #[arg(long)]
    seconds: Option<u64>,
    /// A short version of each part: its figures are rough
    #[arg(long)]
    quick: bool,
    /// Measure the memory of 100,000 users too
    #[arg(long)]
    big: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// HTTP/1.1 beside wrk, oha and a bare reqwest loop
    #[value(alias = "plain")]
    Speed,
    /// HTTPS beside wrk, oha and a bare reqwest loop
    Https,
    /// HTTP/2 over TLS beside h2load, oha and a bare reqwest loop
    Http2,
    /// A new connection for each request, beside wrk, oha and a bare reqwest loop
    NoReuse,
    /// Scripted users beside those of goose and locust
    Scripted,
    /// Thinking users
    Memory,
    /// 15,000 open connections that nobody uses
    Idle,
    /// Calls of `next`
    Calls,
    /// Instructions of a request and of `next`, under callgrind: a busy machine does not matter
    Instructions,
    /// Swaps under load
    Swaps,
    /// Beside a behavior that loops in one session of eight
    Neighbour,
    /// Being seen from outside
    Extras,
}

/// Those asked for, or all, in the order in which they stand here.
pub fn chosen(asked: &[Part]) -> Vec<Part> {
    let all = Part::value_variants().iter().copied();
    all.filter(|part| asked.is_empty() || asked.contains(part))
        .collect()
}

/// The programs that these parts need beyond those built here, each once.
pub fn needed(parts: &[Part]) -> Vec<&'static str> {
    let mut names: Vec<_> = parts
        .iter()
        .flat_map(|part| part.needs())
        .copied()
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

impl Part {
    fn needs(self) -> &'static [&'static str] {
        match self {
            Self::Speed | Self::NoReuse => &["wrk", "oha"],
            Self::Https => &["wrk", "oha", "reqwest-tls", "nginx", "openssl"],
            Self::Http2 => &["h2load", "oha", "reqwest-tls", "nginx", "openssl"],
            Self::Scripted => &["goose", "locust"],
            Self::Instructions => &["valgrind"],
            Self::Memory
            | Self::Idle
            | Self::Calls
            | Self::Swaps
            | Self::Neighbour
            | Self::Extras => &[],
        }
    }

    pub fn measure(self, tools: &Tools, scale: &Scale) -> Result<()> {
        let pace = Pace {
            runs: scale.runs(3, 5),
            seconds: scale.seconds(2, 8, 1),
        };
        match self {
            Self::Speed => speed::plain(tools, pace),
            Self::Https => speed::https(tools, pace),
            Self::Http2 => speed::http2(tools, pace),
            Self::NoReuse => speed::no_reuse(tools, pace),
            Self::Scripted => {
                // locust alone takes a second to begin, and more on a busy machine.
                let seconds = scale.seconds(5, 8, 5);
                speed::scripted(tools, Pace { seconds, ..pace })
            }
            Self::Memory => {
                let (think, mut users) = if scale.quick {
                    (Think::of(4, 8, 12), vec![1_000, 10_000])
                } else {
                    (Think::of(10, 20, 30), vec![1_000, 10_000, 50_000])
                };
                users.extend(scale.big.then_some(100_000));
                memory::memory(tools, &users, think)
            }
            Self::Idle => idle::idle(tools, scale.runs(1, 3)),
            Self::Calls => calls::calls(tools, pace.seconds),
            Self::Instructions => instructions::instructions(tools, scale.runs(1, 3)),
            Self::Swaps => swaps::swaps(tools, scale.runs(1, 3), scale.seconds(15, 60, 5)),
            Self::Neighbour => {
                neighbour::neighbour(tools, scale.runs(1, 3), scale.seconds(30, 30, 30))
            }
            Self::Extras => extras::extras(tools, scale.runs(2, 5), scale.seconds(10, 60, 10)),
        }
    }
}

impl Scale {
    fn runs(&self, quick: usize, full: usize) -> usize {
        let default = if self.quick { quick } else { full };
        self.runs.unwrap_or(default).max(1)
    }

    fn seconds(&self, quick: u64, full: u64, least: u64) -> u64 {
        let default = if self.quick { quick } else { full };
        self.seconds.unwrap_or(default).max(least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_alone_needs_no_program_of_the_others() {
        assert_eq!(needed(&chosen(&[Part::Calls])), [""; 0]);
        let http2 = ["h2load", "nginx", "oha", "openssl", "reqwest-tls"];
        assert_eq!(needed(&chosen(&[Part::Http2])), http2);
    }

    #[test]
    fn parts_come_in_one_order_whatever_was_asked_first() {
        let two = [Part::Speed, Part::Calls];
        assert_eq!(chosen(&[Part::Calls, Part::Speed]), two);
        assert_eq!(chosen(&[]), Part::value_variants());
    }
}
