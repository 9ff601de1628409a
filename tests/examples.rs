//! Every example runs without arguments, ends by itself and does what it shows.
#![cfg(all(feature = "tcp", feature = "inproc"))]

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use ferromq::DealerSocket;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Examples take a few milliseconds; a machine under load gets much longer.
const DEADLINE: Duration = Duration::from_secs(30);

/// `cargo test` builds the examples beside the directory of the tests.
fn example(name: &str) -> Command {
    let test = std::env::current_exe().expect("a test knows its path");
    let target: PathBuf = test.ancestors().nth(2).expect("target/PROFILE/deps/test").into();
    let path = target.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(path.exists(), "{} is missing: cargo build --examples", path.display());
    let mut command = Command::new(path);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// Runs an example to its end; returns its exit code, output and errors.
async fn run(name: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = timeout(DEADLINE, example(name).args(arguments).output())
        .await
        .unwrap_or_else(|_| panic!("{name} {arguments:?} does not end"))
        .expect("the example starts");
    let text = |octets| String::from_utf8(octets).expect("examples print text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Starts a side that stays, and returns the endpoints its first lines end with.
async fn start<const N: usize>(name: &str, arguments: &[&str]) -> (Child, [String; N]) {
    let mut child = example(name).args(arguments).spawn().expect("the example starts");
    let mut lines = BufReader::new(child.stdout.as_mut().expect("it is piped")).lines();
    let mut endpoints = [(); N].map(|()| String::new());
    for endpoint in &mut endpoints {
        let line = timeout(DEADLINE, lines.next_line()).await.expect("in time").expect("text");
        let line = line.expect("the first lines say where it is");
        *endpoint = line.rsplit(' ').next().expect("a word").to_owned();
    }
    (child, endpoints)
}

#[track_caller]
fn assert_shows((code, output, errors): (Option<i32>, String, String), expected: &[&str]) {
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{output}");
    for line in expected {
        assert!(output.contains(line), "{line:?} is not in\n{output}");
    }
}

#[tokio::test]
async fn request_reply_runs() {
    let expected =
        ["client  asks     Ada", "server  answers  Hello, Ada!", "hears    Hello, Edsger!"];
    assert_shows(run("request_reply", &[]).await, &expected);
}

#[tokio::test]
async fn request_reply_broker_runs() {
    let expected = ["client A  hears    3 squared is 9", "client B  hears    6 squared is 36"];
    assert_shows(run("request_reply_broker", &[]).await, &expected);
}

/// A worker answers many requests at once: more than the sockets and the system
/// hold on the way back, while as many more requests fill the way there.
#[tokio::test]
async fn request_reply_broker_moves_both_ways_while_both_are_full() {
    const CLIENTS: usize = 20;
    /// As many answers as a ROUTER keeps for a client that does not read them.
    const EACH: usize = 1000;
    let anywhere = "tcp://127.0.0.1:0";
    let (broker, [front, back]) =
        start("request_reply_broker", &["broker", anywhere, anywhere]).await;
    let worker = DealerSocket::new();
    worker.connect(back).expect("connect");
    let working = tokio::spawn(async move {
        for batch in [14_000, CLIENTS * EACH - 14_000] {
            let mut requests = Vec::new();
            while requests.len() < batch {
                requests.push(worker.recv().await.expect("recv"));
            }
            for request in requests {
                worker.send(request).await.expect("send");
            }
        }
        worker
    });
    let clients = (0..CLIENTS).map(|_| {
        let client = DealerSocket::new();
        client.connect(&*front).expect("connect");
        tokio::spawn(async move {
            let body = |number: usize| format!("{number:04096}");
            for number in 0..EACH {
                client.send(body(number)).await.expect("send");
            }
            for number in 0..EACH {
                assert_eq!(client.recv().await, Ok(body(number).into()));
            }
        })
    });
    let clients: Vec<_> = clients.collect();
    for client in clients {
        let answered = timeout(2 * DEADLINE, client).await;
        answered.expect("the answers come").expect("they are right");
    }
    working.await.expect("it is done");
    drop(broker);
}

#[tokio::test]
async fn pub_sub_runs() {
    let run = run("pub_sub", &[]).await;
    assert!(!run.1.contains("hears    weather"), "nobody subscribes to it");
    assert_shows(
        run,
        &[
            "news.       hears    news.world  Bridge closes for repairs",
            "news.sport  hears    news.sport  Away team asks for a rematch",
            "everyone    is done",
        ],
    );
}

#[cfg(feature = "plain")]
#[tokio::test]
async fn plain_runs() {
    let expected = [
        "hears    hello from alice",
        "alice    hears    welcome",
        "refused us: '400'",
        "it is not let in: 400, there is no user",
    ];
    assert_shows(run("plain", &[]).await, &expected);
}

#[cfg(feature = "plain")]
#[tokio::test]
async fn a_client_of_plain_that_is_refused_ends_and_says_so() {
    let (server, [endpoint]) = start("plain", &["server", "tcp://127.0.0.1:0"]).await;
    let (code, _, errors) = run("plain", &["client", &endpoint, "alice", "a guess"]).await;
    assert_eq!(code, Some(1), "{errors}");
    assert!(errors.contains("refused us: '400'"), "{errors}");
    drop(server);
}

#[cfg(feature = "curve")]
#[tokio::test]
async fn curve_runs() {
    let expected = [
        "hears    hello from alice",
        "alice     hears    welcome",
        "refused us: '400'",
        "it is not let in: 400, its key",
    ];
    assert_shows(run("curve", &[]).await, &expected);
}

/// The server's own key is in its directory as well, and it is no key of a client.
#[cfg(feature = "curve")]
#[tokio::test]
async fn clients_of_curve_come_in_by_their_files() {
    let name = format!("ferromq-example-curve-{}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let directory = path.to_str().expect("text");
    assert_shows(run("curve", &["keygen", directory, "server", "alice"]).await, &["alice: "]);
    let anywhere = "tcp://127.0.0.1:0";
    let (server, [endpoint]) = start("curve", &["server", anywhere, directory]).await;
    let alice = run("curve", &["client", &endpoint, directory, "alice"]).await;
    assert_shows(alice, &["alice     hears    welcome"]);
    let (code, _, errors) = run("curve", &["client", &endpoint, directory, "server"]).await;
    assert_eq!(code, Some(1), "{errors}");
    assert!(errors.contains("refused us: '400'"), "{errors}");
    drop(server);
    std::fs::remove_dir_all(path).expect("it was there");
}

#[tokio::test]
async fn pipeline_runs() {
    let run = run("pipeline", &[]).await;
    for worker in ["worker 1", "worker 2", "worker 3"] {
        assert_eq!(run.1.matches(worker).count(), 4, "each gets its turn");
    }
    assert_shows(run, &["sink        has 12 from  worker", "ventilator  is done, 0 undelivered"]);
}

#[tokio::test]
async fn pair_runs() {
    let expected = ["worker  counts    count 7", "boss    is done   0 undelivered"];
    assert_shows(run("pair", &[]).await, &expected);
}

#[tokio::test]
async fn sides_find_each_other_in_processes_of_their_own() {
    let (server, [endpoint]) = start("request_reply", &["server", "tcp://127.0.0.1:0"]).await;
    let client = run("request_reply", &["client", &endpoint]).await;
    assert_shows(client, &["client  hears    Hello, Ada!"]);
    drop(server);
}

#[tokio::test]
async fn errors_are_one_clear_line() {
    let (code, _, errors) = run("request_reply", &["server", "localhost:5555"]).await;
    assert_eq!((code, errors.lines().count()), (Some(1), 1), "{errors}");
    assert!(errors.contains("did you mean tcp://localhost:5555?"), "{errors}");
    let (code, _, errors) = run("pub_sub", &["nobody"]).await;
    assert_eq!(code, Some(2));
    assert!(errors.starts_with("usage: pub_sub"), "{errors}");
}
