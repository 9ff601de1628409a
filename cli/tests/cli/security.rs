//! PLAIN and CURVE, with the program at both ends.

use std::process::Command;

use crate::scratch::Scratch;
use crate::tool::{Tool, run, start};

const ANY: &str = "tcp://127.0.0.1:0";

#[test]
fn plain_lets_in_by_name_and_password() {
    let server = ["--plain-server", "ada:engine", "--plain-server", "bob:secret:too"];
    let mut pull = start(&[&["pull", "--bind", ANY, "--count", "2"], &server[..]].concat());
    let endpoint = pull.endpoint();
    let push = |user, password| {
        let who = ["--plain-user", user, "--plain-password", password];
        start(&[&["push", "--connect", &endpoint, "--data", user], &who[..]].concat())
    };
    push("bob", "secret:too").succeed();
    let mut wrong = push("ada", "wrong");
    wrong.complaint("400");
    pull.complaint("ada");
    drop(wrong);
    push("ada", "engine").succeed();
    assert_eq!(pull.succeed(), "bob\nada\n");
}

#[test]
fn the_password_may_come_from_the_environment() {
    let mut pull = start(&["pull", "--bind", ANY, "--count", "1", "--plain-server", "ada:engine"]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_ferromq"));
    command.args(["push", "--connect", &pull.endpoint(), "--data", "x", "--plain-user", "ada"]);
    command.env("FERROMQ_PLAIN_PASSWORD", "engine");
    Tool::spawn(command).succeed();
    pull.succeed();
}

#[test]
fn curve_lets_in_by_key() {
    let scratch = Scratch::new("curve");
    let server = scratch.keys("server.key");
    let clients = scratch.directory("clients");
    let ada = scratch.keys("clients/ada.key");
    let eve = scratch.keys("eve.key");

    let keys = format!("{server}_secret");
    let pull = ["pull", "--bind", ANY, "--count", "1", "--curve-server", &keys];
    let mut pull = start(&[&pull[..], &["--allow", &clients]].concat());
    let endpoint = pull.endpoint();
    let push = |name, key: &str| {
        let key = format!("{key}_secret");
        let who = ["--curve-key", &key, "--curve-server-key", &server];
        start(&[&["push", "--connect", &endpoint, "--data", name], &who[..]].concat())
    };
    let mut wrong = push("eve", &eve);
    wrong.complaint("400");
    drop(wrong);
    push("ada", &ada).succeed();
    assert_eq!(pull.succeed(), "ada\n");
}

#[test]
fn curve_lets_in_anybody_who_knows_the_server() {
    let scratch = Scratch::new("curve-any");
    let server = scratch.keys("server.key");
    let text = std::fs::read_to_string(&server).expect("a certificate");
    let z85 = text.split('"').nth(1).expect("a key in quotes");

    let keys = format!("{server}_secret");
    let rep = ["rep", "--bind", ANY, "--echo", "--count", "1", "--curve-server", &keys];
    let mut rep = start(&[&rep[..], &["--allow", "any"]].concat());
    let endpoint = rep.endpoint();
    let req = ["req", "--connect", &endpoint, "--data", "x", "--curve-server-key", z85];
    assert_eq!(run(&req).succeed(), "x\n");
    rep.succeed();
}
