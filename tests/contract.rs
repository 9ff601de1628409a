//! Each line of the contract in `src/guide/reliability.rs` names tests, and they exist.

use std::fs;

const CONTRACT: &str = "src/guide/reliability.rs";

/// The tests that a line names: `hostile/limits::name`.
fn tests_of(line: &str) -> Vec<(&str, &str)> {
    let code = line.split('`').skip(1).step_by(2);
    code.filter_map(|code| code.split_once("::")).filter(|(file, _)| is_file(file)).collect()
}

fn is_file(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '/')
}

/// Whether a file of tests has this one, and it is run.
fn has_test(file: &str, name: &str) -> bool {
    let Ok(text) = fs::read_to_string(format!("tests/{file}.rs")) else { return false };
    let Some(start) = text.find(&format!("fn {name}()")) else { return false };
    // What stands in front of it, up to the item before.
    let front = text[..start].rsplit("\n\n").next().unwrap_or_default();
    front.contains("test") && !front.contains("#[ignore")
}

#[test]
fn each_line_of_the_contract_names_tests_that_exist() {
    let contract = fs::read_to_string(CONTRACT).expect("the contract is there");
    let mut lines = 0;
    for line in contract.lines().filter(|line| line.starts_with("//! | ")) {
        if line.contains("| Proved by |") {
            continue;
        }
        let tests = tests_of(line);
        assert!(!tests.is_empty(), "nothing proves: {line}");
        for (file, name) in tests {
            assert!(has_test(file, name), "there is no test {name} in tests/{file}.rs: {line}");
        }
        lines += 1;
    }
    assert!(lines > 20, "only {lines} lines were found");
}
