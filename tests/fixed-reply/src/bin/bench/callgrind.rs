//! Reads what valgrind's callgrind writes of a thread: its instructions, and those of every call to a function with what
//! that called in turn. `instructions.rs` uses it. The format is described in valgrind's manual, under "Callgrind Format
//! Specification"; only what a profile without options holds is read.

use std::collections::HashMap;

/// Calls of one or several functions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    pub count: u64,
    /// Instructions, those of the functions called from there included.
    pub instructions: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Profile {
    /// Instructions of the thread, or of all where threads were not told apart.
    pub total: u64,
    calls: HashMap<String, Calls>,
}

impl Profile {
    /// `None` where it has another form.
    pub fn read(text: &str) -> Option<Self> {
        // A name stands where its number is seen first, in `fn=` or `cfn=`, and is left out from then on.
        let mut names = HashMap::<&str, &str>::new();
        let mut calls = HashMap::<&str, Calls>::new();
        let mut total = None;
        let mut called = None;
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let Some((key, value)) = line.split_once(['=', ':']) else {
                continue;
            };
            match key {
                "fn" | "cfn" => {
                    let (number, name) = value.split_once(' ').unwrap_or((value, ""));
                    if !name.is_empty() {
                        names.insert(number, name);
                    }
                    called = (key == "cfn").then_some(number);
                }
                "calls" => {
                    // Where it is called from, and what that cost, is the next line.
                    let cost = lines.next()?.split(' ').nth(1).unwrap_or("0");
                    let to = calls.entry(called?).or_default();
                    to.count += value.split(' ').next()?.parse::<u64>().ok()?;
                    to.instructions += cost.parse::<u64>().ok()?;
                }
                "summary" | "totals" => total = Some(value.trim().parse().ok()?),
                _ => {}
            }
        }
        let named = calls
            .into_iter()
            .map(|(number, calls)| Some(((*names.get(number)?).to_owned(), calls)));
        Some(Self {
            total: total?,
            calls: named.collect::<Option<_>>()?,
        })
    }

    /// Calls of all functions with such a name. They must not call each other, or what they do is counted twice.
    pub fn calls(&self, is: impl Fn(&str) -> bool) -> Calls {
        let those = self.calls.iter().filter(|(name, _)| is(name));
        those.fold(Calls::default(), |sum, (_, calls)| Calls {
            count: sum.count + calls.count,
            instructions: sum.instructions + calls.instructions,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = "\
# callgrind format
version: 1
events: Ir
positions: line

ob=(1) /bin/vespeiro
fl=(1) main.rs
fn=(1) main
16 400
cfn=(2) room::Session::next
calls=3 40
17 600
+1 10

fn=(2)
40 300
cfi=(2) a=b.rs
cfn=(3) wasm::invoke'2
calls=2 7
* 200

fn=(4) other
9 50
cfn=(2)
calls=1 40
9 90
summary: 1650
";

    #[test]
    fn calls_from_all_places_are_summed_with_what_they_cost() {
        let profile = Profile::read(PROFILE).unwrap();
        assert_eq!(profile.total, 1650);
        let calls = |count, instructions| Calls {
            count,
            instructions,
        };
        assert_eq!(
            profile.calls(|name| name.ends_with("::next")),
            calls(4, 690)
        );
        assert_eq!(profile.calls(|name| name.contains("wasm")), calls(2, 200));
        assert_eq!(profile.calls(|name| name == "nobody"), Calls::default());
    }

    #[test]
    fn what_was_cut_off_is_no_profile() {
        let cut = PROFILE.find("summary").unwrap();
        assert_eq!(Profile::read(&PROFILE[..cut]), None);
        assert_eq!(Profile::read(""), None);
    }
}
