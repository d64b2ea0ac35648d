//! How one person differs from the next: how slow they are, whether they rather look things up or change them, how patient
//! they are. Drawn from the user's seed, so that it is theirs in every session. The client paces itself by it.

use std::ops::RangeInclusive;

use fastrand::Rng;
use vespeiro_guest::Me;

use crate::settings::{Settings, Spread};

/// Keeps these draws from being those of a session.
const TEMPER: u64 = 0x74_65_6d_70_65_72;

/// What somebody does before a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// Look at what came, and go on.
    Look,
    /// Hurry on, as between the searches of a burst: in the lowest tenth of the plan's pace.
    Hurry,
    /// Fill in a form: [`Pause::Look`] times the plan's factor, and no less than the middle of the pace.
    Form,
}

/// A person's ways.
#[derive(Debug, Clone, Copy)]
pub struct Temper {
    /// In deviations of a pause: above 0 they are slower than most.
    slower: f64,
    form_delay: f64,
    looks: f32,
    patience: f32,
}

impl Temper {
    /// That of the virtual user.
    #[must_use]
    pub fn of(me: &Me, settings: &Settings) -> Temper {
        let Spread {
            slower,
            pace,
            taste,
            patience,
        } = settings.behavior_config;
        let mut rng = Rng::with_seed(TEMPER ^ me.user().seed);
        let mut drawn = |spread: f64| normal(&mut rng) * spread;
        Temper {
            slower: slower.unwrap_or(0.0) + drawn(pace),
            looks: drawn(taste).exp() as f32,
            patience: drawn(patience).exp() as f32,
            form_delay: settings.form_delay,
        }
    }

    /// How much rather than others they look things up; around 1, and at most e^2.
    #[must_use]
    pub fn looks(&self) -> f32 {
        self.looks
    }

    /// How much longer than others they stay; around 1, and at most e^2.
    #[must_use]
    pub fn patience(&self) -> f32 {
        self.patience
    }

    /// How often they reload a page that has failed. Who is not paced has no time for that.
    pub(crate) fn reloads(&self, me: &Me) -> u32 {
        if me.pace().delay_max_ms == 0 {
            return 0;
        }
        ((1.3 * self.patience) as u32).min(3)
    }

    /// How long such a pause is this time, in milliseconds. Whatever the person is like, it is within the plan's pace, or
    /// within the factor times it for a form.
    pub(crate) fn pause(&self, me: &Me, pause: Pause) -> u32 {
        me.pause_length(self.bounds(me, pause), self.slower)
    }

    /// The shortest of such pauses.
    pub(crate) fn shortest(&self, me: &Me, pause: Pause) -> u32 {
        *self.bounds(me, pause).start()
    }

    fn bounds(&self, me: &Me, pause: Pause) -> RangeInclusive<u32> {
        let pace = me.pace();
        let (min, max) = (pace.delay_min_ms, pace.delay_max_ms);
        let range = max.saturating_sub(min);
        match pause {
            Pause::Look => min..=max,
            Pause::Hurry => min..=min + range / 10,
            Pause::Form => {
                let times = |millis: u32| (f64::from(millis) * self.form_delay) as u32;
                let least = times(min).max(min + range / 2);
                least..=times(max).max(least)
            }
        }
    }
}

/// A standard normal draw, within two deviations.
fn normal(rng: &mut Rng) -> f64 {
    for _ in 0..8 {
        // Box and Muller; 1 - f64() is never 0.
        let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
        let drawn = radius * (std::f64::consts::TAU * rng.f64()).cos();
        if drawn.abs() <= 2.0 {
            return drawn;
        }
    }
    0.0
}
