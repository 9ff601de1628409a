//! [`race`]: connects to the first of several addresses that answers, by the
//! habits of RFC 8305 ("Happy Eyeballs"): an address that does not answer must
//! not hide the one that would.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

/// How long an attempt runs before the next address is tried beside it: the
/// "Connection Attempt Delay" that RFC 8305 recommends.
const DELAY: Duration = Duration::from_millis(250);

/// How many attempts run at a time. A name may have any number of addresses,
/// and each attempt costs a descriptor.
const AT_A_TIME: usize = 8;

/// What an attempt has for itself. When there are too many, the oldest is given
/// up after this time: to wait until the system does, which takes minutes,
/// would hide the addresses that are still to be tried.
const PATIENCE: Duration = Duration::from_secs(2);

/// Connects to each address, the next one [`DELAY`] after the one before or as
/// soon as an attempt has failed, until one answers. The others are given up
/// then; dropping the future gives all up.
///
/// # Errors
/// The last failure, once all have failed.
pub(super) async fn race<T, F>(
    addresses: Vec<SocketAddr>,
    connect: impl Fn(SocketAddr) -> F,
) -> io::Result<T>
where
    F: Future<Output = io::Result<T>>,
{
    let mut waiting = addresses.into_iter();
    let mut attempts = Attempts(VecDeque::new());
    let mut failure = io::ErrorKind::NotFound.into();
    loop {
        match waiting.next() {
            Some(target) => attempts.start(target, &connect),
            None if attempts.0.is_empty() => return Err(failure),
            None => {}
        }
        let ended = if waiting.len() == 0 {
            attempts.next().await
        } else {
            match tokio::time::timeout_at(attempts.next_due(), attempts.next()).await {
                Ok(ended) => ended,
                // The next address is due, and nothing has failed.
                Err(_) => continue,
            }
        };
        match ended {
            (_, Ok(stream)) => return Ok(stream),
            (target, Err(error)) => {
                tracing::debug!(%target, %error, "an address did not answer");
                failure = error;
            }
        }
    }
}

/// The attempts under way, oldest first.
struct Attempts<F>(VecDeque<Attempt<F>>);

struct Attempt<F> {
    target: SocketAddr,
    since: Instant,
    future: Pin<Box<F>>,
}

impl<F: Future> Attempts<F> {
    fn start(&mut self, target: SocketAddr, connect: impl FnOnce(SocketAddr) -> F) {
        if self.0.len() == AT_A_TIME {
            if let Some(Attempt { target, .. }) = self.0.pop_front() {
                tracing::debug!(%target, "an address did not answer and gives way to others");
            }
        }
        let future = Box::pin(connect(target));
        self.0.push_back(Attempt { target, since: Instant::now(), future });
    }

    /// When to try one address more if nothing ends before.
    fn next_due(&self) -> Instant {
        let soon = Instant::now() + DELAY;
        match self.0.front() {
            Some(oldest) if self.0.len() == AT_A_TIME => soon.max(oldest.since + PATIENCE),
            _ => soon,
        }
    }

    /// The next attempt that ends. Dropping the future stops none.
    async fn next(&mut self) -> (SocketAddr, F::Output) {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<(SocketAddr, F::Output)> {
        for index in 0..self.0.len() {
            let Attempt { target, future, .. } = &mut self.0[index];
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                let target = *target;
                self.0.remove(index);
                return Poll::Ready((target, output));
            }
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    /// What the address with this number does.
    enum Act {
        Answer(u64),
        Fail(u64),
        Nothing,
    }
    use Act::{Answer, Fail, Nothing};

    /// How a race went; times in milliseconds.
    struct Report {
        /// Who answered, or who failed last.
        result: Result<usize, String>,
        took: u64,
        started: Vec<u64>,
        most: usize,
    }

    /// Counts an attempt as long as it runs.
    struct Running<'a>(&'a Cell<usize>);

    impl Drop for Running<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() - 1);
        }
    }

    /// Races addresses that do this, in paused time.
    async fn run(acts: &[Act]) -> Report {
        let since = Instant::now();
        let elapsed = || u64::try_from(since.elapsed().as_millis()).unwrap();
        let (started, running, most) = (RefCell::new(Vec::new()), Cell::new(0), Cell::new(0));
        let addresses = (0..acts.len()).map(|n| ([192, 0, 2, 1], u16::try_from(n).unwrap()).into());
        let result = race(addresses.collect(), |target: SocketAddr| {
            started.borrow_mut().push(elapsed());
            running.set(running.get() + 1);
            most.set(most.get().max(running.get()));
            let running = Running(&running);
            async move {
                let _running = running;
                let number = usize::from(target.port());
                let pause = |after| tokio::time::sleep(Duration::from_millis(after));
                match acts[number] {
                    Answer(after) => pause(after).await,
                    Fail(after) => {
                        pause(after).await;
                        return Err(io::Error::other(number.to_string()));
                    }
                    Nothing => std::future::pending().await,
                }
                Ok(number)
            }
        })
        .await;
        assert_eq!(running.get(), 0, "attempts outlive the race");
        let result = result.map_err(|error| error.to_string());
        Report { result, took: elapsed(), started: started.take(), most: most.get() }
    }

    /// Timers may be late by a millisecond each.
    #[track_caller]
    fn assert_about(times: &[u64], expected: &[u64]) {
        let near = |(time, expected): (&u64, &u64)| (*expected..expected + 40).contains(time);
        let same = times.len() == expected.len() && times.iter().zip(expected).all(near);
        assert!(same, "{times:?}, not about {expected:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_does_not_answer_does_not_hide_the_next() {
        let report = run(&[Nothing, Answer(5)]).await;
        assert_eq!(report.result, Ok(1));
        assert_about(&report.started, &[0, 250]);
        assert_about(&[report.took], &[255]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_answers_at_once_is_the_only_one_tried() {
        let report = run(&[Answer(200), Answer(0)]).await;
        assert_eq!((report.result, report.most), (Ok(0), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_answers_late_still_wins_over_later_ones() {
        let report = run(&[Answer(600), Nothing, Answer(300)]).await;
        assert_eq!(report.result, Ok(0));
        assert_about(&report.started, &[0, 250, 500]);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_failure_the_next_is_tried_at_once() {
        let report = run(&[Fail(10), Nothing, Fail(100), Answer(5)]).await;
        assert_eq!(report.result, Ok(3));
        assert_about(&report.started, &[0, 10, 260, 360]);
    }

    #[tokio::test(start_paused = true)]
    async fn when_all_fail_the_last_failure_is_told() {
        let report = run(&[Fail(300), Fail(1)]).await;
        assert_eq!(report.result, Err("0".into()));
        assert_about(&[report.took], &[300]);
        assert!(run(&[]).await.result.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_eight_run_at_a_time_and_none_hides_the_last() {
        let mut acts: Vec<_> = (0..20).map(|_| Nothing).collect();
        acts.push(Answer(5));
        let report = run(&acts).await;
        assert_eq!((report.result, report.most), (Ok(20), AT_A_TIME));
        let expected: Vec<u64> = (0..21).map(|n| n * 250).collect();
        assert_about(&report.started, &expected);
    }

    #[tokio::test(start_paused = true)]
    async fn before_an_address_gives_way_it_has_its_two_seconds() {
        // Seven fail together and make room for seven more, so that the eighth
        // is the oldest all of a sudden.
        let mut acts: Vec<_> = (0..7).map(|n| Fail(1760 - n * 250)).collect();
        acts.push(Answer(1900));
        acts.extend((0..9).map(|_| Nothing));
        let report = run(&acts).await;
        assert_eq!(report.result, Ok(7));
        assert_about(&[report.took], &[1750 + 1900]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_of_time_holds_for_all_together() {
        let limit = Duration::from_millis(600);
        let acts: Vec<_> = (0..20).map(|_| Nothing).collect();
        let since = Instant::now();
        tokio::time::timeout(limit, run(&acts)).await.err().unwrap();
        assert_about(&[u64::try_from(since.elapsed().as_millis()).unwrap()], &[600]);
    }
}
