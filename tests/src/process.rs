//! What a process has used, as Linux tells it; nothing elsewhere.

use std::fs;

/// Of the process that asks.
pub const SELF: &str = "self";

/// The processor time of all threads of a process so far, in seconds, to a hundredth.
pub fn cpu_seconds(process: &str) -> f64 {
    // In user mode and in the kernel.
    ticks(process, 11, 2)
}

/// The processor time of the children of a process that have ended and that it waited for, in seconds.
pub fn ended_children_cpu_seconds(process: &str) -> f64 {
    ticks(process, 13, 2)
}

/// The memory in use, in MB, with what it shares with others.
pub fn resident_megabytes(process: &str) -> f64 {
    megabytes(process, "VmRSS:")
}

/// The memory that is the process's alone and no copy of a file, in MB.
pub fn own_megabytes(process: &str) -> f64 {
    megabytes(process, "RssAnon:")
}

/// The process that started this one.
pub fn parent(process: &str) -> Option<String> {
    fields(process).get(1).cloned()
}

/// The processes that this one started and that still run.
pub fn children(process: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let names = processes.filter_map(|entry| entry.file_name().into_string().ok());
    let numbers = names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    numbers.filter(|name| parent(name).as_deref() == Some(process)).collect()
}

/// So many fields of `stat` from one on, which are in ticks, of which a second has 100 on every Linux.
fn ticks(process: &str, first: usize, count: usize) -> f64 {
    let fields = fields(process);
    let ticks = fields.iter().skip(first).take(count);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// The fields of `stat` after the program's name, which may have spaces; what follows it has none.
fn fields(process: &str) -> Vec<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit(')').next().unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

fn megabytes(process: &str, name: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}
