//! Names and their addresses, as long as they are good for. The dialers of a worker share one; each dial asks it.
//!
//! What must stay true: a name is looked up once per TTL, by however many dials at once; `--resolve` comes before any
//! lookup; several addresses are taken in turn.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::cause::{Broken, exhausted};
use vespeiro_model::Clock;
use vespeiro_plan::{Resolve, literal};

type Found = Result<Rc<[IpAddr]>, Broken>;
type Lookup = dyn Fn(String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>>>>;

/// Names and their addresses. Cheap to clone within a worker. Used within a `LocalSet`, for a lookup goes on when the
/// dial that began it has run out of time.
#[derive(Clone)]
pub struct Names {
    inner: Rc<Inner>,
}

struct Inner {
    given: HashMap<(String, u16), Rc<[IpAddr]>>,
    ttl: Duration,
    look_up: Box<Lookup>,
    names: RefCell<HashMap<String, State>>,
    /// How often a name with several addresses was asked for.
    turns: RefCell<HashMap<(String, u16), usize>>,
}

enum State {
    Known {
        addresses: Rc<[IpAddr]>,
        /// `None`: for ever.
        until: Option<Instant>,
    },
    Pending(watch::Receiver<Option<Found>>),
}

impl Names {
    /// Names as the system looks them up, each good for `ttl`; `resolve` comes before that, and of two for the same
    /// host and port the later.
    pub fn new(resolve: &[Resolve], ttl: Duration) -> Self {
        Self::with_lookup(resolve, ttl, |name| {
            Box::pin(async move {
                let found = tokio::net::lookup_host((name, 0)).await?;
                Ok(found.map(|address| address.ip()).collect())
            })
        })
    }

    /// Names as `look_up` knows them.
    pub fn with_lookup(
        resolve: &[Resolve],
        ttl: Duration,
        look_up: impl Fn(String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>>>> + 'static,
    ) -> Self {
        let given = resolve.iter();
        let given = given.map(|one| {
            (
                (one.host.clone(), one.port),
                one.addresses.as_slice().into(),
            )
        });
        Self {
            inner: Rc::new(Inner {
                given: given.collect(),
                ttl,
                look_up: Box::new(look_up),
                names: RefCell::default(),
                turns: RefCell::default(),
            }),
        }
    }

    /// The addresses that `--resolve` or the host itself gives, without a lookup.
    pub(crate) fn given(&self, host: &str, port: u16) -> Option<Rc<[IpAddr]>> {
        let host = host.to_ascii_lowercase();
        let bare = host.trim_matches(['[', ']']).to_owned();
        let given = &self.inner.given;
        let found = given
            .get(&(bare, port))
            .or_else(|| given.get(&("*".to_owned(), port)));
        match found {
            Some(found) => Some(found.clone()),
            None => literal(&host).map(|address| Rc::from([address])),
        }
    }

    /// All addresses of a host, the next in turn first; `offset` is where the first turn begins.
    pub(super) async fn addresses(
        &self,
        host: &str,
        port: u16,
        offset: usize,
        clock: Clock,
    ) -> Result<Vec<IpAddr>, Broken> {
        let host = host.to_ascii_lowercase();
        let found = match self.given(&host, port) {
            Some(given) => given,
            None => self.looked_up(&host, clock).await?,
        };
        let mut addresses = found.to_vec();
        if addresses.len() > 1 {
            let mut turns = self.inner.turns.borrow_mut();
            let turn = turns.entry((host, port)).or_insert(offset);
            addresses.rotate_left(*turn % found.len());
            *turn = turn.wrapping_add(1);
        }
        Ok(addresses)
    }

    async fn looked_up(&self, host: &str, clock: Clock) -> Found {
        let mut answer = {
            let mut names = self.inner.names.borrow_mut();
            match names.get(host) {
                Some(State::Known { addresses, until })
                    if until.is_none_or(|until| clock.now() < until) =>
                {
                    return Ok(addresses.clone());
                }
                Some(State::Pending(answer)) => answer.clone(),
                _ => {
                    let (sender, answer) = watch::channel(None);
                    names.insert(host.to_owned(), State::Pending(answer.clone()));
                    tokio::task::spawn_local(self.clone().look_up(host.to_owned(), sender, clock));
                    answer
                }
            }
        };
        let found = answer.wait_for(Option::is_some).await;
        let found = found.ok().and_then(|found| found.clone());
        found.unwrap_or_else(|| Err(Broken::connect(format!("the lookup of {host} was ended"))))
    }

    async fn look_up(self, host: String, sender: watch::Sender<Option<Found>>, clock: Clock) {
        let found = match (self.inner.look_up)(host.clone()).await {
            Ok(addresses) => found(&host, addresses),
            Err(error) => Err(exhausted(&error).or_else(no_file).unwrap_or_else(|| {
                Broken::connect(format!(
                    "the name {host} cannot be looked up: {error}: mend the name, or give its address with --resolve"
                ))
            })),
        };
        let mut names = self.inner.names.borrow_mut();
        match &found {
            Ok(addresses) => {
                let known = State::Known {
                    addresses: addresses.clone(),
                    until: clock.now().checked_add(self.inner.ttl),
                };
                names.insert(host, known);
            }
            // The next dial asks again: a name may come to be known.
            Err(_) => {
                names.remove(&host);
            }
        }
        drop(names);
        let _ = sender.send(Some(found));
    }
}

/// The C library looks a name up in files and through sockets, and where it can open none, it says that the name is not
/// known. Trying to open one tells.
fn no_file() -> Option<Broken> {
    let tried = std::net::UdpSocket::bind((std::net::Ipv4Addr::LOCALHOST, 0));
    tried.err().and_then(|error| exhausted(&error))
}

/// Each address once, in the resolver's order.
fn found(host: &str, addresses: Vec<IpAddr>) -> Found {
    let mut each: Vec<IpAddr> = Vec::with_capacity(addresses.len());
    for address in addresses {
        if !each.contains(&address) {
            each.push(address);
        }
    }
    if each.is_empty() {
        return Err(Broken::connect(format!("the name {host} has no address")));
    }
    Ok(each.into())
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names")
            .field("given", &self.inner.given)
            .field("ttl", &self.inner.ttl)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::future::join_all;
    use tokio::task::LocalSet;

    use super::*;
    use crate::Failure;

    /// Names that a lookup answers after 10 ms, and how often it was asked.
    fn counted(
        resolve: &[&str],
        ttl: Duration,
        answer: Result<&[&str], i32>,
    ) -> (Names, Rc<Cell<u32>>) {
        let asked = Rc::new(Cell::new(0));
        let count = asked.clone();
        let answer = answer.map(|addresses| {
            let addresses = addresses.iter().map(|address| address.parse().unwrap());
            addresses.collect::<Vec<IpAddr>>()
        });
        let resolve: Vec<Resolve> = resolve.iter().map(|one| one.parse().unwrap()).collect();
        let names = Names::with_lookup(&resolve, ttl, move |_| {
            count.set(count.get() + 1);
            let answer = answer.clone().map_err(io::Error::from_raw_os_error);
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(10)).await;
                answer
            })
        });
        (names, asked)
    }

    fn first(addresses: Result<Vec<IpAddr>, Broken>) -> String {
        addresses.unwrap()[0].to_string()
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_is_looked_up_once_per_ttl_by_however_many() {
        LocalSet::new()
            .run_until(async {
                let (names, asked) = counted(&[], Duration::from_secs(60), Ok(&["10.0.0.1"]));
                let all =
                    join_all((0..50).map(|_| names.addresses("A.test", 80, 0, Clock::system())))
                        .await;
                assert!(all.into_iter().all(|found| first(found) == "10.0.0.1"));
                assert_eq!(asked.get(), 1);
                tokio::time::advance(Duration::from_secs(59)).await;
                names
                    .addresses("a.TEST", 443, 0, Clock::system())
                    .await
                    .unwrap();
                assert_eq!(asked.get(), 1);
                tokio::time::advance(Duration::from_secs(2)).await;
                names
                    .addresses("a.test", 80, 0, Clock::system())
                    .await
                    .unwrap();
                assert_eq!(asked.get(), 2);
            })
            .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_lookup_outlives_the_dial_that_began_it() {
        LocalSet::new()
            .run_until(async {
                let (names, asked) = counted(&[], Duration::MAX, Ok(&["10.0.0.1"]));
                let short = Duration::from_millis(1);
                let began =
                    tokio::time::timeout(short, names.addresses("a.test", 80, 0, Clock::system()))
                        .await;
                assert!(began.is_err());
                assert_eq!(
                    first(names.addresses("a.test", 80, 0, Clock::system()).await),
                    "10.0.0.1"
                );
                assert_eq!(asked.get(), 1);
            })
            .await;
    }

    #[tokio::test(start_paused = true)]
    async fn several_addresses_are_taken_in_turn_from_the_workers_own_place() {
        LocalSet::new()
            .run_until(async {
                let all: &[&str] = &["10.0.0.1", "10.0.0.2", "10.0.0.1", "10.0.0.3"];
                let (names, _) = counted(&["b.test:80:10.1.0.1,10.1.0.2"], Duration::ZERO, Ok(all));
                let mut seen = Vec::new();
                for _ in 0..4 {
                    seen.push(first(
                        names.addresses("a.test", 80, 1, Clock::system()).await,
                    ));
                }
                assert_eq!(seen, ["10.0.0.2", "10.0.0.3", "10.0.0.1", "10.0.0.2"]);
                let both = [
                    first(names.addresses("b.test", 80, 0, Clock::system()).await),
                    first(names.addresses("b.test", 80, 0, Clock::system()).await),
                ];
                assert_eq!(both, ["10.1.0.1", "10.1.0.2"]);
            })
            .await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_given_needs_no_lookup() {
        LocalSet::new()
            .run_until(async {
                let given = ["a.test:80:10.0.0.9", "*:443:10.0.0.8", "[::1]:81:10.0.0.7"];
                let (names, asked) = counted(&given, Duration::MAX, Ok(&["10.0.0.1"]));
                assert_eq!(
                    first(names.addresses("A.test", 80, 0, Clock::system()).await),
                    "10.0.0.9"
                );
                assert_eq!(
                    first(names.addresses("b.test", 443, 0, Clock::system()).await),
                    "10.0.0.8"
                );
                assert_eq!(
                    first(names.addresses("[::1]", 81, 0, Clock::system()).await),
                    "10.0.0.7"
                );
                assert_eq!(
                    first(names.addresses("[::1]", 80, 0, Clock::system()).await),
                    "::1"
                );
                assert_eq!(
                    first(names.addresses("127.0.0.1", 80, 0, Clock::system()).await),
                    "127.0.0.1"
                );
                assert_eq!(asked.get(), 0);
                assert_eq!(
                    first(names.addresses("a.test", 81, 0, Clock::system()).await),
                    "10.0.0.1"
                );
                assert_eq!(asked.get(), 1);
            })
            .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_that_is_not_known_is_asked_for_again() {
        LocalSet::new()
            .run_until(async {
                let (names, asked) = counted(&[], Duration::MAX, Err(libc_enoent()));
                for _ in 0..2 {
                    let broken = names
                        .addresses("a.test", 80, 0, Clock::system())
                        .await
                        .unwrap_err();
                    assert_eq!(broken.failure, Failure::Connect);
                    assert!(broken.cause.contains("a.test"), "{}", broken.cause);
                }
                assert_eq!(asked.get(), 2);
                let none: &[&str] = &[];
                let (names, _) = counted(&[], Duration::MAX, Ok(none));
                let broken = names
                    .addresses("a.test", 80, 0, Clock::system())
                    .await
                    .unwrap_err();
                assert!(broken.cause.contains("no address"), "{}", broken.cause);
                let full = rustix::io::Errno::MFILE.raw_os_error();
                let (names, _) = counted(&[], Duration::MAX, Err(full));
                let broken = names
                    .addresses("a.test", 80, 0, Clock::system())
                    .await
                    .unwrap_err();
                assert_eq!(broken.failure, Failure::Generator);
            })
            .await;
    }

    fn libc_enoent() -> i32 {
        rustix::io::Errno::NOENT.raw_os_error()
    }
}
