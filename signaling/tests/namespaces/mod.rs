//! Networks that exist only while a story runs: links, routers and addresses in namespaces of its own. Wants root, or
//! user namespaces; without them a story fails with the reason.

#![allow(dead_code, reason = "each test binary uses its part")]

use rustix::process::geteuid;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::os::fd::AsFd;
use std::process::Command;

/// Marks the process as being in its own namespaces already, and for which story.
const INSIDE: &str = "NETWORK_STORY";

/// A folder of `ip netns` for the story alone; the namespaces go with it when the last process of the story ends.
const SCRIPT: &str = "mount -t tmpfs tmpfs /run; exec \"$@\"";

/// Runs a story on a machine without any network but `lo`. `story` is the name of the test, which is started a second
/// time, inside.
pub fn alone(story: &str, tell: impl FnOnce()) {
    if std::env::var(INSIDE).as_deref() == Ok(story) {
        ip("link set lo up");
        return tell();
    }
    let test = std::env::current_exe().expect("this very program");
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "--uts", "--fork", "--kill-child"]);
    if !geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command.args(["sh", "-ec", SCRIPT, "sh"]).arg(test).args([story, "--exact", "--nocapture"]);
    let ended = command.env(INSIDE, story).output().expect("unshare of util-linux");
    let said = [ended.stdout, ended.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(ended.status.success() && said[0].contains("1 passed"), "{}", said.concat());
}

/// One order to iproute2.
pub fn ip(order: &str) {
    let done = Command::new("ip").args(order.split_whitespace()).output().expect("ip of iproute2");
    assert!(done.status.success(), "ip {order}: {}", String::from_utf8_lossy(&done.stderr));
}

/// A program in a namespace of `ip netns`.
pub fn program_in(namespace: &str, program: &str) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace, program]);
    command
}

/// Does something on a thread in a namespace. Threads and sockets it makes stay there.
pub fn inside<T: Send>(namespace: &str, work: impl FnOnce() -> T + Send) -> T {
    let there = File::open(format!("/run/netns/{namespace}")).expect("ip netns add");
    let work = move || {
        move_into_link_name_space(there.as_fd(), Some(LinkNameSpaceType::Network)).expect("allowed");
        work()
    };
    std::thread::scope(|scope| scope.spawn(work).join().expect("done"))
}

/// One end of a link, with its addresses of both families.
pub struct End<'a> {
    /// `None` is the story's own.
    pub namespace: Option<&'a str>,
    pub device: &'a str,
    pub addresses: &'a [&'a str],
}

impl End<'_> {
    fn ip(&self, order: &str) {
        match self.namespace {
            Some(namespace) => ip(&format!("-n {namespace} {order}")),
            None => ip(order),
        }
    }

    fn up(&self) {
        for address in self.addresses {
            // The search for a second holder of an IPv6 address takes a second in which it cannot be used.
            let search = if address.contains(':') { "nodad" } else { "" };
            self.ip(&format!("addr add {address} dev {} {search}", self.device));
        }
        self.ip(&format!("link set {} up", self.device));
    }
}

/// A cable between two ends.
pub fn cable(one: &End, other: &End) {
    let at = |end: &End| end.namespace.map_or(String::new(), |namespace| format!(" netns {namespace}"));
    ip(&format!("link add {}{} type veth peer name {}{}", one.device, at(one), other.device, at(other)));
    one.up();
    other.up();
}

pub fn add(namespace: &str) {
    ip(&format!("netns add {namespace}"));
    ip(&format!("-n {namespace} link set lo up"));
}

/// A setting of the kernel, below `/proc/sys`.
pub fn set(key: &str, value: &str) {
    std::fs::write(format!("/proc/sys/{key}"), value).unwrap_or_else(|e| panic!("{key}: {e}"));
}
