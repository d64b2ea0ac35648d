//! Who is signed in. A session begins at login and ends by logout, expiry, reuse of an old refresh token, or with its
//! user; an access token is worth nothing without it, so revoking needs no list of revoked tokens. Memory stays
//! bounded: expired sessions leave on the next login, a plain user has a few of them, and a cap holds for the rest.

use std::collections::{BTreeSet, HashMap};

use super::Key;
use crate::clock::Timestamp;
use crate::limits::Bucket;

/// Most sessions that live at once; some 100 bytes each.
pub const MAX_SESSIONS: usize = 1 << 20;

/// Most sessions of a plain user, who has so many devices and no more; a manager's account is shared by many clients.
pub const MAX_SESSIONS_OF_A_USER: usize = 10;

/// How many expired sessions one login clears away at most, so that none pays for a quiet hour's heap.
const SWEEP: usize = 32;

/// Number of a session, never used twice.
pub type SessionId = u64;

/// The user and session behind a valid access token.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    pub user: Key,
    pub session: SessionId,
}

#[derive(Debug)]
struct Session {
    user: Key,
    /// How often it was refreshed: the refresh token of any earlier rotation is an old one.
    rotation: u32,
    expires: Timestamp,
    bucket: Bucket,
}

/// All live sessions.
#[derive(Debug)]
pub struct Sessions {
    most: usize,
    live: HashMap<SessionId, Session>,
    by_expiry: BTreeSet<(Timestamp, SessionId)>,
    by_user: BTreeSet<(Key, SessionId)>,
    last: SessionId,
}

impl Sessions {
    /// Room for `most` sessions at once.
    pub fn with_room_for(most: usize) -> Self {
        Self {
            most,
            live: HashMap::new(),
            by_expiry: BTreeSet::new(),
            by_user: BTreeSet::new(),
            last: 0,
        }
    }

    pub fn len(&self) -> usize {
        self.live.len()
    }

    /// Begins a session; clears expired ones away and, if there is still no room, ends the one nearest to its expiry.
    pub fn begin(&mut self, user: Key, now: Timestamp, expires: Timestamp) -> SessionId {
        self.sweep_some(now, SWEEP);
        if self.live.len() >= self.most
            && let Some((_, oldest)) = self.by_expiry.first().copied()
        {
            self.end(oldest);
        }
        self.last += 1;
        let id = self.last;
        self.live.insert(
            id,
            Session {
                user,
                rotation: 0,
                expires,
                bucket: Bucket::default(),
            },
        );
        self.by_expiry.insert((expires, id));
        self.by_user.insert((user, id));
        id
    }

    /// The user of a session, while it lives.
    pub fn user_of(&self, id: SessionId, now: Timestamp) -> Option<Key> {
        self.live
            .get(&id)
            .filter(|session| now < session.expires)
            .map(|session| session.user)
    }

    /// The rate-limit bucket of a session.
    pub fn bucket(&self, id: SessionId) -> Option<&Bucket> {
        self.live.get(&id).map(|session| &session.bucket)
    }

    /// Prolongs a session to `expires` against its refresh token of this `rotation`: the user and the next rotation.
    /// An old rotation means that the token was copied: the session ends, for the thief and for the owner.
    pub fn refresh(
        &mut self,
        id: SessionId,
        rotation: u32,
        now: Timestamp,
        expires: Timestamp,
    ) -> Option<(Key, u32)> {
        let session = self
            .live
            .get_mut(&id)
            .filter(|session| now < session.expires)?;
        if session.rotation != rotation {
            self.end(id);
            return None;
        }
        session.rotation = session.rotation.wrapping_add(1);
        let before = std::mem::replace(&mut session.expires, expires);
        let renewed = (session.user, session.rotation);
        self.by_expiry.remove(&(before, id));
        self.by_expiry.insert((expires, id));
        Some(renewed)
    }

    /// Ends the oldest sessions of `user`, so that there is room for another one among `most`.
    pub fn make_room(&mut self, user: Key, most: usize) {
        let of_user = (user, 0)..=(user, SessionId::MAX);
        let live = self.by_user.range(of_user.clone()).count();
        for _ in most.saturating_sub(1)..live {
            if let Some((_, oldest)) = self.by_user.range(of_user.clone()).next().copied() {
                self.end(oldest);
            }
        }
    }

    pub fn end(&mut self, id: SessionId) {
        if let Some(session) = self.live.remove(&id) {
            self.by_expiry.remove(&(session.expires, id));
            self.by_user.remove(&(session.user, id));
        }
    }

    pub fn end_all_of(&mut self, user: Key) {
        let ids: Vec<_> = self
            .by_user
            .range((user, 0)..=(user, SessionId::MAX))
            .map(|(_, id)| *id)
            .collect();
        for id in ids {
            self.end(id);
        }
    }

    /// Clears away every session that has expired by `now`.
    pub fn sweep(&mut self, now: Timestamp) {
        self.sweep_some(now, usize::MAX);
    }

    fn sweep_some(&mut self, now: Timestamp, most: usize) {
        for _ in 0..most {
            match self.by_expiry.first().copied() {
                Some((expires, id)) if expires <= now => self.end(id),
                _ => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cap_ends_the_session_nearest_to_its_expiry() {
        let mut sessions = Sessions::with_room_for(5);
        let (now, user) = (Timestamp(0), Key(1));
        let first = sessions.begin(user, now, Timestamp(10));
        let second = sessions.begin(user, now, Timestamp(20));
        for _ in 2..5 {
            sessions.begin(user, now, Timestamp(30));
        }
        assert_eq!(sessions.user_of(first, now), Some(user));
        sessions.begin(user, now, Timestamp(30));
        assert_eq!(
            (sessions.user_of(first, now), sessions.user_of(second, now)),
            (None, Some(user))
        );
        assert_eq!(sessions.len(), 5);
    }

    #[test]
    fn a_user_beyond_its_own_cap_loses_the_oldest() {
        let mut sessions = Sessions::with_room_for(100);
        let begin = |sessions: &mut Sessions, user| {
            sessions.make_room(user, 3);
            sessions.begin(user, Timestamp(0), Timestamp(10))
        };
        let other = begin(&mut sessions, Key(2));
        let ids: Vec<_> = (0..5).map(|_| begin(&mut sessions, Key(1))).collect();
        let alive = |id| sessions.user_of(id, Timestamp(0)).is_some();
        assert_eq!(
            ids.iter().map(|id| alive(*id)).collect::<Vec<_>>(),
            [false, false, true, true, true]
        );
        assert!(alive(other));
        assert_eq!(sessions.len(), 4);
    }

    #[test]
    fn expired_sessions_leave_at_the_next_login() {
        let mut sessions = Sessions::with_room_for(5);
        let kept = sessions.begin(Key(1), Timestamp(0), Timestamp(10));
        sessions.begin(Key(1), Timestamp(0), Timestamp(10));
        assert_eq!(
            sessions.refresh(kept, 0, Timestamp(5), Timestamp(15)),
            Some((Key(1), 1))
        );
        sessions.begin(Key(2), Timestamp(10), Timestamp(20));
        assert_eq!(sessions.len(), 2);
        assert_eq!(sessions.user_of(kept, Timestamp(14)), Some(Key(1)));
        assert_eq!(sessions.user_of(kept, Timestamp(15)), None);
        assert_eq!(
            sessions.refresh(kept, 1, Timestamp(15), Timestamp(30)),
            None
        );
    }

    #[test]
    fn an_old_rotation_ends_the_session() {
        let mut sessions = Sessions::with_room_for(5);
        let id = sessions.begin(Key(1), Timestamp(0), Timestamp(10));
        assert!(
            sessions
                .refresh(id, 0, Timestamp(1), Timestamp(11))
                .is_some()
        );
        assert_eq!(sessions.refresh(id, 0, Timestamp(1), Timestamp(11)), None);
        assert_eq!(sessions.refresh(id, 1, Timestamp(1), Timestamp(11)), None);
        assert_eq!((sessions.by_expiry.len(), sessions.by_user.len()), (0, 0));
    }
}
