//! Doing things at the same time. Journeys use it to send several requests in one step; the executor polls the whole
//! journey at each step, so these only have to poll all of their parts.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// Both at once; done when both are done.
///
/// ```
/// # use vespeiro_guest::prelude::*;
/// # const USERS: Route = Route::get("/users", "query");
/// # const ROLES: Route = Route::get("/roles", "query");
/// async fn look(me: &Me) -> Result<()> {
///     let (users, roles) = join(me.call(USERS).send(), me.call(ROLES).send()).await;
///     users?.expect_success()?;
///     roles?.expect_success()?;
///     Ok(())
/// }
/// ```
pub async fn join<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut first, mut second) = (None, None);
    poll_fn(move |task| {
        if first.is_none()
            && let Poll::Ready(output) = a.as_mut().poll(task)
        {
            first = Some(output);
        }
        if second.is_none()
            && let Poll::Ready(output) = b.as_mut().poll(task)
        {
            second = Some(output);
        }
        match (first.take(), second.take()) {
            (Some(a), Some(b)) => Poll::Ready((a, b)),
            (a, b) => {
                (first, second) = (a, b);
                Poll::Pending
            }
        }
    })
    .await
}

/// All at once; the outputs in the order of the futures.
pub async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures
        .into_iter()
        .map(|future| (Box::pin(future), None))
        .collect();
    poll_fn(|task| {
        let mut open = false;
        for (future, output) in &mut running {
            if output.is_none() {
                match future.as_mut().poll(task) {
                    Poll::Ready(done) => *output = Some(done),
                    Poll::Pending => open = true,
                }
            }
        }
        if open { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    running
        .into_iter()
        .filter_map(|(_, output)| output)
        .collect()
}
