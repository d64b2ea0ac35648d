//! The pools, played by tasks that do at random what requests can do: limits hold at every moment, nobody is forgotten,
//! and in the end everything is counted.

use std::cell::Cell;
use std::rc::{Rc, Weak};
use std::time::Duration;

use proptest::prelude::*;
use tokio::task::{LocalSet, yield_now};

use super::{By, Grant, Limits, Multiple, Pool, Pools, Single, Tally};
use crate::Failure;
use crate::dial::Protocol;
use crate::outcome::Flaw;
use vespeiro_model::Clock;

/// A connection that the target may close while nobody uses it.
struct One {
    quiet: bool,
}

impl Single for One {
    fn is_quiet(&mut self) -> bool {
        self.quiet
    }
}

type Ours = Pools<One, Many>;
type OurPool = Pool<One, Many>;

struct Many(Rc<Streams>);

struct Streams {
    in_use: Cell<usize>,
    most: usize,
    usable: Cell<bool>,
    pools: Weak<Ours>,
    pool: Weak<OurPool>,
}

struct Place(Rc<Streams>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.in_use.set(self.0.in_use.get() - 1);
        self.0.changed();
    }
}

impl Streams {
    fn changed(&self) {
        if let (Some(pools), Some(pool)) = (self.pools.upgrade(), self.pool.upgrade()) {
            pools.freed(&pool);
        }
    }
}

impl Multiple for Many {
    type Place = Place;

    fn try_place(&self) -> Option<Place> {
        self.has_room().then(|| {
            self.0.in_use.set(self.0.in_use.get() + 1);
            Place(Rc::clone(&self.0))
        })
    }

    fn has_room(&self) -> bool {
        self.is_usable() && self.0.in_use.get() < self.0.most
    }

    fn is_usable(&self) -> bool {
        self.0.usable.get()
    }
}

/// What one request does once it has what it waited for.
#[derive(Debug, Clone)]
struct Act {
    user: usize,
    /// Turns that a dial takes, and that an exchange takes.
    dials: usize,
    lasts: usize,
    ends: Ends,
    /// Turns after which it is given up, wherever it is.
    given_up: Option<usize>,
    fresh: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    Well,
    /// The dial fails.
    Unconnected,
    /// The target closes the connection with the answer.
    Closed,
    /// It closes it afterwards, while it is idle.
    ClosedLater,
    /// It says that the connection goes away.
    Leaving,
    /// It says so, and is to close it.
    Asked,
    /// The session of the user ends.
    HungUp,
}

fn acts() -> impl Strategy<Value = Vec<Vec<Act>>> {
    let ends = prop_oneof![
        6 => Just(Ends::Well),
        1 => Just(Ends::Unconnected),
        1 => Just(Ends::Closed),
        1 => Just(Ends::ClosedLater),
        1 => Just(Ends::Leaving),
        1 => Just(Ends::Asked),
        1 => Just(Ends::HungUp),
    ];
    let given_up = prop_oneof![4 => Just(None), 1 => (0..12usize).prop_map(Some)];
    let fresh = prop::bool::weighted(0.1);
    let act = (0..3usize, 0..4usize, 0..6usize, ends, given_up, fresh).prop_map(
        |(user, dials, lasts, ends, given_up, fresh)| Act {
            user,
            dials,
            lasts,
            ends,
            given_up,
            fresh,
        },
    );
    prop::collection::vec(prop::collection::vec(act, 1..6), 1..12)
}

#[derive(Debug, Clone, Copy)]
struct World {
    limits: Limits,
    speaks: Protocol,
    /// That is known from the beginning.
    known: bool,
    streams: usize,
    own_pools: bool,
}

fn worlds() -> impl Strategy<Value = World> {
    (
        0..4usize,
        0..3usize,
        1..4usize,
        1..4usize,
        any::<[bool; 4]>(),
    )
        .prop_map(
            |(
                connections,
                per_user,
                http2_connections,
                streams,
                [reuse, http2, known, own_pools],
            )| World {
                limits: Limits {
                    reuse,
                    connections,
                    per_user,
                    idle: Duration::from_secs(3600),
                    http2_connections,
                    patience: Duration::from_secs(3600),
                },
                speaks: if http2 {
                    Protocol::Http2
                } else {
                    Protocol::Http1
                },
                known,
                streams,
                own_pools,
            },
        )
}

struct Play {
    world: World,
    pools: Rc<Ours>,
    users: Vec<Rc<OurPool>>,
}

impl Play {
    fn new(world: World) -> Self {
        let known = world.known.then_some(world.speaks);
        let pools = Rc::new(Pools::new(
            world.limits,
            known,
            Rc::new(Tally::default()),
            Clock::system(),
        ));
        let users = (0..3)
            .map(|_| {
                if world.own_pools {
                    pools.user(0)
                } else {
                    Rc::clone(pools.home())
                }
            })
            .collect();
        Self {
            world,
            pools,
            users,
        }
    }

    fn check(&self) {
        let limits = self.world.limits;
        let open = self.pools.open();
        assert!(
            limits.connections == 0 || open <= limits.connections,
            "{open} are open"
        );
        for user in &self.users {
            let (open, sessions) = (user.open.get(), user.sessions.borrow().len());
            assert!(!self.world.own_pools || limits.per_user == 0 || open <= limits.per_user);
            assert!(
                !limits.reuse || sessions <= limits.http2_connections,
                "{sessions} sessions"
            );
        }
    }

    async fn request(&self, act: &Act) {
        let whole = self.whole(act);
        match act.given_up {
            None => whole.await,
            Some(turns) => {
                tokio::select! {
                    biased;
                    () = whole => {}
                    () = turns_of(turns) => {}
                }
            }
        }
        self.check();
    }

    async fn whole(&self, act: &Act) {
        let pool = &self.users[act.user];
        let grant = self.pools.grant(pool, act.fresh).await;
        self.check();
        let mut stream = None;
        let mut kept = None;
        match grant {
            Grant::Kept(one) => kept = Some(one),
            Grant::Stream(one) => stream = Some(one),
            Grant::Failed(_) => return,
            Grant::Dial(slot) => {
                turns_of(act.dials).await;
                self.check();
                if act.ends == Ends::Unconnected {
                    slot.failed(&Flaw {
                        failure: Failure::Connect,
                        cause: "so it is".into(),
                    });
                    return;
                }
                match self.world.speaks {
                    Protocol::Http1 => kept = Some(slot.single(One { quiet: true })),
                    Protocol::Http2 => {
                        stream = slot.multiple(Many(Rc::new(Streams {
                            in_use: Cell::new(0),
                            most: self.world.streams,
                            usable: Cell::new(true),
                            pools: Rc::downgrade(&self.pools),
                            pool: Rc::downgrade(pool),
                        })));
                    }
                }
            }
        }
        if act.ends == Ends::HungUp {
            self.pools.hang_up(pool);
        }
        let place = stream.as_mut().and_then(|stream| stream.place());
        assert_eq!(place.is_some(), stream.is_some());
        turns_of(act.lasts).await;
        self.check();
        drop(place);
        if let Some(stream) = stream {
            match act.ends {
                Ends::Leaving => {
                    stream.multiple().0.usable.set(false);
                    stream.multiple().0.changed();
                }
                Ends::Closed => {
                    let mut stream = stream;
                    stream.leave();
                }
                _ => {}
            }
        }
        if let Some(mut kept) = kept {
            match act.ends {
                Ends::Closed | Ends::Leaving => kept.close(By::Target),
                Ends::ClosedLater => {
                    kept.single().quiet = false;
                    kept.keep();
                }
                Ends::Asked => kept.leave(By::Us),
                _ => kept.keep(),
            }
        }
    }

    /// Nothing is left of it.
    fn end(&self) {
        self.pools.close_idle(self.pools.clock.now());
        self.check();
        for user in &self.users {
            self.pools.hang_up(user);
        }
        let counts = self.pools.tally.get();
        assert_eq!((counts.open, self.pools.open()), (0, 0));
        assert_eq!(counts.opened, counts.closed_by_us + counts.closed_by_target);
        for user in &self.users {
            assert_eq!(
                (user.open.get(), user.dialing.get(), user.queue.is_empty()),
                (0, 0, true)
            );
        }
    }
}

async fn turns_of(turns: usize) {
    for _ in 0..turns {
        yield_now().await;
    }
}

fn played(world: World, acts: Vec<Vec<Act>>) {
    let builder = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let runtime = builder.expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let play = Rc::new(Play::new(world));
        let tasks: Vec<_> = acts
            .into_iter()
            .map(|acts| {
                let play = Rc::clone(&play);
                tokio::task::spawn_local(async move {
                    for act in &acts {
                        play.request(act).await;
                    }
                })
            })
            .collect();
        // Time stands still for as long as somebody has something to do.
        let all = async {
            for task in tasks {
                task.await.expect("a task that ends");
            }
        };
        let ended = tokio::time::timeout(Duration::from_secs(1), all).await;
        assert!(ended.is_ok(), "somebody waits for ever");
        play.end();
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn limits_hold_and_nobody_is_forgotten(world in worlds(), acts in acts()) {
        played(world, acts);
    }
}
