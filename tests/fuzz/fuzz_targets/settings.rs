//! Settings as flags and variables give them: `key=value` in a line each, `archetype.key=value` for one archetype's own.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vespeiro_fuzz::plan;
use vespeiro_plan::Flags;

fuzz_target!(|text: &str| {
    let mut flags = Flags::default();
    for line in text.lines().take(32) {
        let Some((key, value)) = line.split_once('=') else {
            flags.archetypes.push(line.to_owned());
            continue;
        };
        match key.split_once('.') {
            Some((archetype, key)) => flags.set_override(archetype, key, value, "--own"),
            // A preset may be a file, which is what plan files are for.
            None if matches!(key, "preset" | "scenario") => {}
            None => flags.set(key, value, "--flag"),
        }
    }
    plan(flags);
});
