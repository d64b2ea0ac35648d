//! How long a person waits before a step.

use vespeiro_guest::Me;

/// Longest pause: an hour, as the contract has it.
const LONGEST_MS: f64 = 3_600_000.0;

/// What `pause` may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pause {
    /// `think`: within the plan's `delay_min` and `delay_max`.
    Think,
    /// `none`
    None,
    /// `2s`, or between `1s` and `3s` as `1s..3s`, whatever the plan says; in milliseconds.
    Between(u32, u32),
}

impl Pause {
    pub(crate) fn read(text: &str) -> Result<Pause, String> {
        match text {
            "think" => return Ok(Pause::Think),
            "none" => return Ok(Pause::None),
            _ => {}
        }
        let (least, most) = text.split_once("..").unwrap_or((text, text));
        let read = |text: &str| {
            millis(text.trim()).ok_or_else(|| {
                format!("{text:?} is no pause; write think, none, 2s, 300ms or 1s..3s")
            })
        };
        let (least, most) = (read(least)?, read(most)?);
        if least > most {
            return Err(format!("{text:?} ends before it begins"));
        }
        Ok(Pause::Between(least, most))
    }

    pub(crate) async fn wait(self, me: &Me) {
        match self {
            Pause::Think => me.think().await,
            Pause::None => {}
            // In a stress test nobody pauses.
            Pause::Between(..) if me.pace().delay_max_ms == 0 => {}
            Pause::Between(least, most) => me.wait_ms(me.range(least..=most)).await,
        }
    }
}

fn millis(text: &str) -> Option<u32> {
    let units = [("ms", 1.0), ("s", 1e3), ("m", 6e4)];
    let (number, unit) = units
        .iter()
        .find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    let millis = number.trim().parse::<f64>().ok()? * unit;
    (0.0..=LONGEST_MS)
        .contains(&millis)
        .then_some(millis as u32)
}
