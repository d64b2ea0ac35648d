//! Who is at the keyboard: the person and their ways. Every client is somebody's, for it paces itself by them.

use std::cell::Cell;

use vespeiro_guest::{Choice, Me};

use crate::person::Person;
use crate::settings::Settings;
use crate::temper::{Pause, Temper};

/// The virtual user as a person.
#[derive(Debug)]
pub struct Who {
    /// Name, birth, city and the like.
    pub person: Person,
    /// How they go about things.
    pub temper: Temper,
    /// Nothing is to be sent before, on the session's clock: the service has asked for a rest.
    rests_until: Cell<u64>,
}

impl Who {
    /// That of this session's user.
    #[must_use]
    pub fn of(me: &Me, settings: &Settings) -> Who {
        Who {
            person: Person::of(me.user().index),
            temper: Temper::of(me, settings),
            rests_until: Cell::new(0),
        }
    }

    /// The pause before what is sent next, in milliseconds.
    pub(crate) fn pause(&self, me: &Me, pause: Pause) -> u32 {
        let rest = self.rests_until.get().saturating_sub(me.elapsed_ms());
        let rest = u32::try_from(rest).unwrap_or(u32::MAX);
        self.temper.pause(me, pause).max(rest)
    }

    /// Leaves the service alone for so long.
    pub(crate) fn rests(&self, me: &Me, millis: u32) {
        self.rests_until.set(me.elapsed_ms() + u64::from(millis));
    }

    /// Whether they do some more of what counts for a category: with even odds where the plan's mix has no wish, and
    /// rather where it is short of that.
    #[must_use]
    pub fn does_more(&self, me: &Me, category: &'static str) -> bool {
        let choices = [
            Choice::new(true, 1.0, category),
            Choice::new(false, 1.0, ""),
        ];
        me.choose(&choices).unwrap_or(false)
    }

    /// Whether the plan's mix has room for something that brings requests of this category with it; so it has where there
    /// is none.
    #[must_use]
    pub fn has_room(&self, me: &Me, category: &'static str) -> bool {
        me.wanted(category) >= -1.0
    }

    /// How much room the plan's mix has for what brings requests of this category with it, as a factor: 1.0 where it is not past
    /// its share, and the less the further it is.
    #[must_use]
    pub fn room(&self, me: &Me, category: &'static str) -> f32 {
        (me.wanted(category).min(0.0) / 3.0).exp()
    }

    /// Whether they are one of a share of the users that is spread evenly over them, so that it is kept by few as well.
    #[must_use]
    pub fn is_among(&self, me: &Me, share: f64) -> bool {
        // Multiples of the golden ratio are spread as evenly as can be, whichever of the users play this.
        const GOLDEN: f64 = 0.618_033_988_749_895;
        (f64::from(me.user().index) * GOLDEN).fract() < share
    }

    /// What they do next: by weight and by the plan's mix as [`Me::choose`] has it, and by what this person likes, among
    /// what `fits`: whether it does, or how well, around 1.0.
    #[must_use]
    pub fn choose<T: Copy, F: Into<f32>>(
        &self,
        me: &Me,
        choices: &[Choice<T>],
        fits: impl Fn(T) -> F,
    ) -> Option<T> {
        let looks = self.temper.looks();
        me.choose_with(choices, |choice| {
            let likes = match choice.category {
                "user-query" => looks,
                "user-mutation" | "profile" => looks.recip(),
                _ => 1.0,
            };
            fits(choice.what).into() * likes
        })
    }
}
