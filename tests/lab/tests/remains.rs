//! That a machine is as it was once a lab is gone, however it went.

use std::process::Command;

use lab::control;
use lab::place::Place;

use crate::machine::Machine;
use crate::site::{lab, output, until};

/// Starts a lab in the background and returns its place.
fn up() -> Place {
    output(lab().arg("up"));
    let env = output(lab().arg("env"));
    assert!(env.contains("export KUBECONFIG="), "{env}");
    match control::ask(&control::Request::Place) {
        Ok(Some(control::Reply::Done(place))) => place,
        other => panic!("{other:?}"),
    }
}

/// Ends the lab of a test that fails.
struct Down;

impl Drop for Down {
    fn drop(&mut self) {
        let _ = lab().args(["down", "--force"]).output();
    }
}

/// Waits until the machine is as it was. Some ends take the kernel a moment.
#[track_caller]
fn is_as_it_was(before: &Machine) {
    let mut differences = Vec::new();
    for _ in 0..200 {
        differences = Machine::look().differences(before);
        if differences.is_empty() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("{differences:#?}");
}

fn kill(pid: &str) {
    output(Command::new("kill").args(["-KILL", pid]));
}

/// The janitor of the lab whose launcher is `launcher`.
fn janitor(launcher: u32) -> String {
    let parent = format!("--ppid={launcher}");
    let children = output(Command::new("ps").args([&parent, "--format=pid=,args="]));
    let janitor = children.lines().find(|line| line.ends_with(" janitor"));
    janitor
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .to_owned()
}

pub(crate) fn of_one_that_goes_down() {
    let before = Machine::look();
    let _down = Down;
    let place = up();
    assert!(!Machine::look().differences(&before).is_empty());
    // Again is nothing new.
    assert_eq!(up(), place);
    output(lab().args(["node", "add", "bare-1", "--bare"]));
    let again = output(lab().args(["node", "add", "bare-1", "--bare"]));
    assert_eq!(
        again,
        "bare-1\t10.77.0.12\tbare\nhost-1\t10.77.0.11\thost\n"
    );
    let shown = output(lab().args(["node", "exec", "bare-1", "--", "hostname"]));
    assert_eq!(shown, "bare-1\n");
    output(lab().args(["node", "restart", "host-1"]));
    output(lab().args(["node", "remove", "bare-1"]));
    let held = control::hold().unwrap();
    let refused = lab().arg("down").output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("uses the lab"), "{said}");
    drop(held);
    output(lab().arg("down"));
    is_as_it_was(&before);
    output(lab().arg("down"));
}

pub(crate) fn of_killed_ones() {
    let before = Machine::look();
    let _down = Down;
    // Nobody is left to clean up: the next one does.
    let first = up();
    kill(&janitor(first.pid));
    kill(&first.pid.to_string());
    until("a killed lab answers", || {
        control::ask(&control::Request::Place).is_ok_and(|reply| reply.is_none())
    });
    assert!(first.folder.exists());
    let second = up();
    assert_ne!(second.pid, first.pid);
    // The janitor cleans up.
    kill(&second.pid.to_string());
    until("the folder of a killed lab stays", || {
        !second.folder.exists()
    });
    // By `down`, what no janitor has seen to.
    let third = up();
    kill(&janitor(third.pid));
    kill(&third.pid.to_string());
    output(lab().arg("down"));
    is_as_it_was(&before);
}
