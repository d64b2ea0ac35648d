//! [`Me`]: what a journey is given: who it is, what the host has said, and all it may do. The randomness, pauses and
//! made-up data of `Me` are in `random`, `pace` and `fake`.

use std::rc::Rc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::call::Call;
use crate::contract::{Level, Pace, User};
use crate::session::Core;
use crate::{Error, Fault, Reply, Result, Route, join_all};

/// The virtual user whose session this is.
#[derive(Clone)]
pub struct Me {
    core: Rc<Core>,
}

impl std::fmt::Debug for Me {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Me")
            .field("index", &self.core.user.index)
            .finish_non_exhaustive()
    }
}

impl Me {
    pub(crate) fn new(core: Rc<Core>) -> Me {
        Me { core }
    }

    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    /// Begin a request to a route of the behavior.
    pub fn call(&self, route: Route) -> Call<'_> {
        Call::new(self, route)
    }

    /// Whether the behavior has declared this route, so that it may use it.
    #[must_use]
    pub fn may_call(&self, route: &Route) -> bool {
        self.core.behavior.place(route).is_some()
    }

    /// Send these together, in one step; the results in the same order.
    pub async fn batch(&self, calls: Vec<Call<'_>>) -> Vec<Result<Reply>> {
        join_all(calls.into_iter().map(Call::send)).await
    }

    /// The identity that the host made for this user.
    #[must_use]
    pub fn user(&self) -> &User {
        &self.core.user
    }

    /// How many sessions this user has begun before.
    #[must_use]
    pub fn ordinal(&self) -> u32 {
        self.core.ordinal
    }

    /// Identifier of the run; goes into the name of whatever is created.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.core.run
    }

    /// Bounds of the plan's pauses.
    #[must_use]
    pub fn pace(&self) -> Pace {
        self.core.pace
    }

    /// Milliseconds since the session began, pauses included.
    #[must_use]
    pub fn elapsed_ms(&self) -> u64 {
        self.core.clock.get()
    }

    /// How many more requests this user may send. At 0 the next request ends the session.
    #[must_use]
    pub fn requests_left(&self) -> u32 {
        self.core.left.get()
    }

    /// The archetype's configuration.
    ///
    /// # Errors
    /// [`Error::Config`] when it does not fit `T`.
    pub fn config<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.core.config).map_err(|error| Error::config(error.to_string()))
    }

    /// Keep where the journey stands, for a session of another version to go on from: when the behavior is swapped with
    /// `--mode migrate`, the step behind this is not taken, and the other version's journey begins anew and finds `state`
    /// with [`Me::kept`]. Call it right before a request; it holds until that has had its outcome. A journey that never
    /// calls it finishes on the version it began with.
    ///
    /// # Errors
    /// [`Error::Usage`] when `state` cannot be written as JSON.
    pub fn keep<T: Serialize>(&self, state: &T) -> Result<()> {
        let state = serde_json::to_vec(state).map_err(|error| Error::usage(error.to_string()))?;
        *self.core.kept.borrow_mut() = Some(state);
        Ok(())
    }

    /// What a session of another version has [kept](Me::keep) for this one; `None` for a session that begins anew, and
    /// once taken.
    ///
    /// # Errors
    /// [`Error::Usage`] when it does not fit `T`: the other version kept something else.
    pub fn kept<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        let state = self.core.resumed.take();
        let read = |state: Vec<u8>| serde_json::from_slice(&state);
        let read = state.map(read).transpose();
        read.map_err(|error| Error::usage(format!("what was kept does not fit: {error}")))
    }

    /// What cleanup has to remove, oldest first; empty in a journey, and once taken.
    #[must_use]
    pub fn marks(&self) -> Vec<String> {
        self.core.marks.take()
    }

    /// How far the run is from the plan's share of a category, in percentage points; above 0 it is wanted. 0 when
    /// the run is not governed.
    #[must_use]
    pub fn wanted(&self, category: &str) -> f32 {
        let mix = self.core.mix.borrow();
        if mix.is_empty() {
            return 0.0;
        }
        let index = self.core.behavior.category_place(category);
        index
            .and_then(|index| mix.get(index))
            .copied()
            .unwrap_or(0.0)
    }

    /// The fault that the host asks for right now, once: whoever takes it commits it with the next request.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        self.core.fault.take()
    }

    /// Count a check: something that should hold, and whether it did. Gives `passed` back.
    pub fn check(&self, name: &str, passed: bool) -> bool {
        self.core.host.check(name, passed);
        passed
    }

    /// Add a value to a custom metric.
    pub fn observe(&self, metric: &str, value: f64) {
        self.core.host.observe(metric, value);
    }

    /// Take these steps as a transaction: a named span of the session that the host measures, with and without pauses. It has
    /// passed where they give `Ok`. One that is under way when the session ends has not.
    ///
    /// ```
    /// # use vespeiro_guest::prelude::*;
    /// # const PAY: Route = Route::post("/payments", "shop");
    /// # async fn buy(me: &mut Me) -> Result<()> {
    /// me.transaction("checkout", async {
    ///     me.think().await;
    ///     me.call(PAY).send().await?.expect_status(201)
    /// })
    /// .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// That of the steps.
    pub async fn transaction<T>(
        &self,
        name: &str,
        steps: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.begin(name);
        let result = steps.await;
        self.end(name, result.is_ok());
        result
    }

    /// Begin a transaction, where its steps are not one block: see [`Me::transaction`]. At most 16 are open at a time.
    pub fn begin(&self, transaction: &str) {
        self.core.host.begin(transaction);
    }

    /// End a transaction that is open, and say whether it did what it was for.
    pub fn end(&self, transaction: &str, passed: bool) {
        self.core.host.end(transaction, passed);
    }

    /// In the behavior's `prepare`: hand this to all sessions of the archetype, at most 64 KiB of JSON.
    ///
    /// # Errors
    /// [`Error::Usage`] when it cannot be written as JSON.
    pub fn share<T: Serialize>(&self, value: &T) -> Result<()> {
        self.core.host.share(&as_json(value)?);
        Ok(())
    }

    /// What `prepare` has [shared](Me::share); `None` where there is nothing.
    ///
    /// # Errors
    /// [`Error::Usage`] when it does not fit `T`.
    pub fn shared<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        of_json(self.core.host.shared(), "shared")
    }

    /// Keep notes for this user's next sessions, instead of those before: at most 4096 bytes of JSON. They are kept at once,
    /// however the session ends, and stay when the behavior is swapped.
    ///
    /// # Errors
    /// [`Error::Usage`] when they cannot be written as JSON.
    pub fn remember<T: Serialize>(&self, notes: &T) -> Result<()> {
        self.core.host.remember(&as_json(notes)?);
        Ok(())
    }

    /// What this user has [remembered](Me::remember), in this session or one before; `None` where there is nothing.
    ///
    /// # Errors
    /// [`Error::Usage`] when it does not fit `T`: another version has kept something else.
    pub fn remembered<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        of_json(self.core.host.remembered(), "remembered")
    }

    /// Say that something was created, `<kind>:<name>`, in whose name [`Me::run`] is; [`Call::mark`] says it earlier and is
    /// safer, and may name anything.
    pub fn mark(&self, thing: &str) {
        self.core.host.mark(thing);
    }

    /// Say that a marked thing is gone.
    pub fn unmark(&self, thing: &str) {
        self.core.host.unmark(thing);
    }

    /// Write a line to the host's log. Never a secret.
    pub fn log(&self, level: Level, message: &str) {
        self.core.host.log(level, message);
    }

    /// The next row of one of the plan's data feeds; `None` when there is no such feed, or no more of its rows are this
    /// user's.
    ///
    /// # Errors
    /// [`Error::Config`] when the row does not fit `T`.
    pub fn feed<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let Some(row) = self.core.host.feed(name) else {
            return Ok(None);
        };
        let parsed = serde_json::from_str(&row);
        parsed
            .map(Some)
            .map_err(|error| Error::config(format!("feed `{name}`: {error}")))
    }

    /// One of the plan's `[secrets]`, for a header or a body. The host shows it nowhere.
    ///
    /// # Errors
    /// [`Error::Config`] when the plan has no secret of this name.
    pub fn secret(&self, name: &str) -> Result<String> {
        let value = self.core.host.secret(name);
        value.ok_or_else(|| {
            Error::config(format!(
                "the plan has no secret `{name}`: name its variable or file in [secrets]"
            ))
        })
    }
}

/// Equality for short names, eight bytes at a time: the comparison that the target comes with goes byte by byte, and
/// each round of a loop in a guest costs the engine's check as well.
pub(crate) fn same(one: &str, other: &str) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let (words, rest) = one.as_bytes().as_chunks::<8>();
    let (others, other_rest) = other.as_bytes().as_chunks::<8>();
    let alike = |(a, b): (&[u8; 8], &[u8; 8])| u64::from_le_bytes(*a) == u64::from_le_bytes(*b);
    words.iter().zip(others).all(alike) && rest.iter().zip(other_rest).all(|(a, b)| a == b)
}

fn as_json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::usage(error.to_string()))
}

/// `what` was done to it.
fn of_json<T: DeserializeOwned>(text: Option<String>, what: &str) -> Result<Option<T>> {
    let read = text.map(|text| serde_json::from_str(&text)).transpose();
    read.map_err(|error| Error::usage(format!("what was {what} does not fit: {error}")))
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn names_are_the_same_only_when_every_byte_is() {
        let name = "role-permission, and more of it";
        for length in 0..=name.len() {
            let one = &name[..length];
            let other = one.to_owned();
            assert!(same(one, &other), "{one}");
            assert!(!same(one, &format!("{one}x")), "{one}");
            for at in 0..length {
                let mut other = other.clone();
                other.replace_range(at..=at, "#");
                assert!(!same(one, &other), "{other}");
            }
        }
    }
}
