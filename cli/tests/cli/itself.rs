//! Every pattern, with the program at both ends.

use crate::scratch::Scratch;
use crate::tool::{run, start};

const ANY: &str = "tcp://127.0.0.1:0";

#[test]
fn push_and_pull_with_data() {
    let mut pull = start(&["pull", "--bind", ANY, "--count", "3"]);
    let endpoint = pull.endpoint();
    run(&["push", "--connect", &endpoint, "--data", "hello", "--data", "world"]).succeed();
    run(&["push", "--connect", &endpoint, "--data", "-grüße"]).succeed();
    assert_eq!(pull.succeed(), "hello\nworld\n-grüße\n");
}

#[test]
fn push_and_pull_with_standard_input() {
    let mut push = start(&["push", "--bind", ANY]).write_all("one\n\nthree");
    let pull = start(&["pull", "--connect", &push.endpoint(), "--count", "3"]);
    push.succeed();
    assert_eq!(pull.succeed(), "one\n\nthree\n");
}

#[test]
fn a_line_is_sent_when_it_is_typed() {
    let mut pull = start(&["pull", "--bind", ANY]);
    let mut push = start(&["push", "--connect", &pull.endpoint()]);
    for line in ["first", "second"] {
        push.write(&format!("{line}\n"));
        assert_eq!(pull.line(), line);
    }
}

#[test]
fn push_and_pull_files() {
    let scratch = Scratch::new("files");
    let octets = b"\x00\xffa\r\n\nb\n";
    let file = scratch.file("octets", octets);
    let lines = scratch.file("lines", "a\nb\n");

    let mut pull = start(&["pull", "--bind", ANY, "--count", "1", "--format", "raw"]);
    run(&["push", "--connect", &pull.endpoint(), "--file", &file]).succeed();
    let pulled = pull.finish();
    assert_eq!((pulled.code, &pulled.stdout[..]), (Some(0), &octets[..]));

    let mut pull = start(&["pull", "--bind", ANY, "--count", "2"]);
    let endpoint = pull.endpoint();
    run(&["push", "--connect", &endpoint, "--file", &lines, "--input", "lines"]).succeed();
    assert_eq!(pull.succeed(), "a\nb\n");
}

#[test]
fn data_is_repeated_up_to_the_count_at_its_interval() {
    let mut pull = start(&["pull", "--bind", ANY, "--count", "5"]);
    let endpoint = pull.endpoint();
    let push = ["push", "--connect", &endpoint, "--data", "a", "--data", "b"];
    let start = std::time::Instant::now();
    run(&[&push[..], &["--count", "5", "--interval", "20ms"]].concat()).succeed();
    assert!(start.elapsed().as_millis() >= 80);
    assert_eq!(pull.succeed(), "a\nb\na\nb\na\n");
}

#[test]
fn work_is_shared_out_when_all_are_there() {
    let push = ["push", "--bind", ANY, "--data", "1", "--data", "2", "--wait-for-peers", "2"];
    let mut push = start(&push);
    let endpoint = push.endpoint();
    let pull = || start(&["pull", "--connect", &endpoint, "--count", "1"]);
    let (one, other) = (pull(), pull());
    push.succeed();
    let mut got = [one.succeed(), other.succeed()];
    got.sort();
    assert_eq!(got, ["1\n", "2\n"]);
}

#[test]
fn requests_and_replies() {
    let mut rep = start(&["rep", "--bind", ANY, "--count", "3", "--data", "x", "--data", "y"]);
    let endpoint = rep.endpoint();
    let req = ["req", "--connect", &endpoint, "--data", "a", "--data", "b", "--data", "c"];
    assert_eq!(run(&req).succeed(), "x\ny\nx\n");
    assert_eq!(rep.succeed(), "a\nb\nc\n");
}

#[test]
fn replies_are_echoes_or_typed() {
    let mut rep = start(&["rep", "--bind", ANY, "--count", "1", "--echo"]);
    assert_eq!(run(&["req", "--connect", &rep.endpoint(), "--data", "a"]).succeed(), "a\n");
    rep.succeed();

    let mut rep = start(&["rep", "--bind", ANY]);
    let mut req = start(&["req", "--connect", &rep.endpoint()]);
    req.write("question\n");
    assert_eq!(rep.line(), "question");
    rep.write("answer\n");
    assert_eq!(req.line(), "answer");
}

#[test]
fn publishers_and_subscribers() {
    let publisher = ["pub", "--bind", ANY, "--split", " ", "--wait-for-subscribers", "2"];
    let data = ["--data", "news a", "--data", "sport b", "--data", "news c"];
    let mut publisher = start(&[&publisher[..], &data].concat());
    let endpoint = publisher.endpoint();
    let news = start(&["sub", "--connect", &endpoint, "--subscribe", "news", "--count", "2"]);
    let all = start(&["sub", "--connect", &endpoint, "--count", "3"]);
    publisher.succeed();
    assert_eq!(news.succeed(), "news a\nnews c\n");
    assert_eq!(all.succeed(), "news a\nsport b\nnews c\n");
}

#[test]
fn no_drop_waits_for_subscribers() {
    let publisher = ["pub", "--bind", ANY, "--data", "x", "--count", "20000", "--no-drop"];
    let wait = ["--wait-for-subscribers", "1", "--high-water-mark", "10"];
    let mut publisher = start(&[&publisher[..], &wait].concat());
    let sub = start(&["sub", "--connect", &publisher.endpoint(), "--count", "20000"]);
    publisher.succeed();
    assert_eq!(sub.succeed().len(), 40000);
}

#[test]
fn subscriptions_are_seen_and_made_by_xpub_and_xsub() {
    let mut xpub =
        start(&["xpub", "--bind", ANY, "--format", "quoted", "--count", "1", "-D", "abc"]);
    let xsub = ["xsub", "--connect", &xpub.endpoint(), "--subscribe", "ab", "--receive-only"];
    let _xsub = start(&xsub);
    assert_eq!(xpub.line(), r#""\x01ab""#);
    xpub.succeed();
}

#[test]
fn routers_and_dealers() {
    let mut router = start(&["router", "--bind", ANY, "--echo", "--count", "2"]);
    let dealer = ["dealer", "--connect", &router.endpoint(), "--routing-id", "ada"];
    let dealer = start(&[&dealer[..], &["-D", "a", "-D", "b", "--count", "2"]].concat());
    assert_eq!(dealer.succeed(), "a\nb\n");
    assert_eq!(router.succeed(), "ada a\nada b\n");
}

#[test]
fn a_router_sends_by_id() {
    let router = ["router", "--bind", ANY, "--split", " ", "-D", "ada hello"];
    let mut router = start(&[&router[..], &["--wait-for-peers", "1"]].concat());
    let dealer = ["dealer", "--connect", &router.endpoint(), "--routing-id", "ada"];
    let dealer = start(&[&dealer[..], &["--receive-only", "--count", "1"]].concat());
    assert_eq!(dealer.succeed(), "hello\n");
}

#[test]
fn pairs_talk_both_ways() {
    let mut one = start(&["pair", "--bind", ANY]);
    let mut other = start(&["pair", "--connect", &one.endpoint()]);
    one.write("hi\n");
    assert_eq!(other.line(), "hi");
    other.write("ho\n");
    assert_eq!(one.line(), "ho");
}

#[test]
fn a_proxy_of_requests() {
    let mut proxy = start(&["proxy", "router", "dealer", "--frontend", ANY, "--backend", ANY]);
    let (front, back) = (proxy.endpoint(), proxy.endpoint());
    let rep = start(&["rep", "--connect", &back, "--data", "pong", "--count", "1"]);
    assert_eq!(run(&["req", "--connect", &front, "--data", "ping"]).succeed(), "pong\n");
    assert_eq!(rep.succeed(), "ping\n");
}

#[test]
fn a_proxy_of_work_with_copies() {
    let proxy = ["proxy", "pull", "push", "--frontend", ANY, "--backend", ANY, "--capture", ANY];
    let mut proxy = start(&[&proxy[..], &["--capture-type", "push", "--verbose"]].concat());
    let mut endpoint = |name| {
        let line = proxy.complaint(&format!("{name}: listening on"));
        line.rsplit(' ').next().expect("an endpoint").to_owned()
    };
    let (front, back, copies) = (endpoint("frontend"), endpoint("backend"), endpoint("copies"));
    let copy = start(&["pull", "--connect", &copies, "--count", "1"]);
    proxy.complaint("ready: PULL");
    let pull = start(&["pull", "--connect", &back, "--count", "1"]);
    run(&["push", "--connect", &front, "--data", "work"]).succeed();
    assert_eq!(pull.succeed(), "work\n");
    assert_eq!(copy.succeed(), "work\n");
}
