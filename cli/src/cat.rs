//! The commands that are a socket each: messages in and out.

use std::cell::Cell;

use ferromq::Message;
// In loops that may never have to wait, and must let a deadline or Ctrl-C in between.
use tokio::task::coop::consume_budget;

use crate::args::{Job, Work};
use crate::ending::{Deadline, End, tell};
use crate::failure::{Failure, complain, messages};
use crate::input::Source;
use crate::output::Output;
use crate::socket::AnySocket;

/// Does what a socket command asks for.
pub(crate) async fn run(job: Job) -> Result<(), Failure> {
    let limits = &job.common.limits;
    let deadline = Deadline::new(limits.deadline);
    let options = job.common.tuning.options(limits.linger).xpub_nodrop(job.publishing.no_drop);
    let socket = AnySocket::new(job.socket_type, job.common.security.apply(options)?)?;
    tell(&socket, job.common.tuning.verbose);
    socket.subscribe(&job.subscribe)?;
    socket.open(&job.ends).await?;

    let cat = Cat { socket: &socket, job: &job, unfinished: Cell::new(true) };
    let end = deadline.run(cat.work()).await?;
    if end == End::Deadline && cat.unfinished.get() {
        return Err(deadline.failure());
    }
    report_losses(&socket);
    deadline.close(&socket, end).await
}

/// What the pattern had to drop is no failure, but nothing to be silent about.
fn report_losses(socket: &AnySocket) {
    let lost = socket.stats().lost;
    for (cause, count) in lost.iter().filter(|(_, count)| *count > 0) {
        complain(&format!("{} lost: {cause:?}", messages(count)));
    }
}

struct Cat<'a> {
    socket: &'a AnySocket,
    job: &'a Job,
    /// Whether something is still to be done but to receive without a count.
    unfinished: Cell<bool>,
}

impl Cat<'_> {
    async fn work(&self) -> Result<(), Failure> {
        let count = self.job.common.limits.count;
        match &self.job.work {
            Work::Send(sending) => {
                let source = Source::new(sending, count)?;
                self.wait().await?;
                self.send_all(source).await
            }
            Work::Receive(receiving) => {
                self.unfinished.set(count.is_some());
                self.receive_all(Output::new(receiving)).await
            }
            Work::Ask(sending, receiving) => {
                let source = Source::new(sending, count)?;
                self.wait().await?;
                self.ask(source, Output::new(receiving)).await
            }
            Work::Answer(sending, receiving) => {
                self.unfinished.set(count.is_some());
                let replies = Source::of_replies(sending)?;
                self.answer(Some(replies), Output::new(receiving)).await
            }
            Work::Echo(receiving) => {
                self.unfinished.set(count.is_some());
                self.answer(None, Output::new(receiving)).await
            }
            Work::Both(sending, receiving) => {
                let source = Source::new(sending, count)?;
                let send = async {
                    self.wait().await?;
                    self.send_all(source).await?;
                    self.unfinished.set(count.is_some());
                    Ok(())
                };
                tokio::try_join!(send, self.receive_all(Output::new(receiving)))?;
                Ok(())
            }
        }
    }

    /// Waits for peers, if that was asked for.
    async fn wait(&self) -> Result<(), Failure> {
        match self.job.common.tuning.wait_for_peers {
            0 => Ok(()),
            count => self.socket.wait_for_peers(count).await,
        }
    }

    async fn send_all(&self, mut source: Source) -> Result<(), Failure> {
        let mut is_first = true;
        while let Some(message) = source.next().await? {
            if is_first && self.job.publishing.wait_for_subscribers > 0 {
                let (topic, count) = (message.first(), self.job.publishing.wait_for_subscribers);
                self.socket.wait_for_subscribers(topic, count).await?;
            }
            is_first = false;
            self.socket.send(message).await?;
            consume_budget().await;
        }
        Ok(())
    }

    async fn receive_all(&self, mut output: Output) -> Result<(), Failure> {
        let mut left = self.count();
        while left.next() {
            let message = self.receive(&mut output).await?;
            output.print(&message)?;
        }
        output.flush()
    }

    async fn ask(&self, mut source: Source, mut output: Output) -> Result<(), Failure> {
        while let Some(message) = source.next().await? {
            self.socket.send(message).await?;
            output.print(&self.socket.recv().await?)?;
            output.flush()?;
        }
        Ok(())
    }

    /// Sends something for all that comes: the next reply, or the same back.
    async fn answer(&self, mut replies: Option<Source>, mut output: Output) -> Result<(), Failure> {
        let mut left = self.count();
        while left.next() {
            let request = self.socket.recv().await?;
            output.print(&request)?;
            // Whoever types replies has to see the request first.
            output.flush()?;
            let reply = match &mut replies {
                None => request,
                Some(replies) => match replies.next().await? {
                    Some(reply) => reply,
                    None => return Ok(()),
                },
            };
            self.socket.send(reply).await?;
        }
        Ok(())
    }

    /// The next message. What was printed is flushed before it is waited for, and only then:
    /// a flood need not be flushed by the message.
    async fn receive(&self, output: &mut Output) -> Result<Message, Failure> {
        consume_budget().await;
        if let Some(message) = self.socket.try_recv() {
            return Ok(message);
        }
        output.flush()?;
        self.socket.recv().await
    }

    fn count(&self) -> Left {
        Left(self.job.common.limits.count.filter(|count| *count > 0))
    }
}

/// How many are left; without a number, there is no end.
struct Left(Option<u64>);

impl Left {
    /// Whether there is one more, which is taken off.
    fn next(&mut self) -> bool {
        let Some(left) = &mut self.0 else { return true };
        let more = *left > 0;
        *left = left.saturating_sub(1);
        more
    }
}
