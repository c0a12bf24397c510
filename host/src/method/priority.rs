//! Who goes first where there are more threads than cores. What a thread asks for here holds for the
//! threads and processes that it starts, too. Elsewhere than on Linux nothing of it does anything.

use std::{io, time::Duration};

/// Added to the nice value of threads whose work can wait: each has a tenth of the weight of a usual
/// one.
const NICE: i32 = 10;

/// The largest nice value that there is.
const LEAST: i32 = 19;

/// Of threads that make way for those of this nice value.
pub(super) fn behind(others: i32) -> i32 {
    (others + NICE).min(LEAST)
}

/// Has the thread that asks make way for threads of this nice value from now on.
pub(super) fn make_way(others: i32) -> io::Result<()> {
    // A value, not an addition to what there is: a thread may be started by one that makes way already.
    // Elsewhere this would be about the whole process.
    if cfg!(target_os = "linux") {
        rustix::process::setpriority_process(None, behind(others))?;
    }
    Ok(())
}

/// Of the thread that asks.
pub(super) fn nice() -> io::Result<i32> {
    Ok(rustix::process::getpriority_process(None)?)
}

/// Has the thread that asks run when no other wants to. There is no way back from that without
/// privileges.
#[cfg(target_os = "linux")]
pub(super) fn take_what_is_left() -> io::Result<()> {
    use preempt_rt::sched::{Pid, Scheduler::SCHED_IDLE, SchedulerParams, set_scheduler};
    let parameters = SchedulerParams { priority: 0 };
    set_scheduler(Pid::current_thread(), SCHED_IDLE, parameters).map_err(io::Error::other)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn take_what_is_left() -> io::Result<()> {
    Ok(())
}

/// What a process has used of the CPU. None where there is no such process.
#[cfg(target_os = "linux")]
pub(super) fn cpu_time_of(process: u32) -> Option<Duration> {
    use nix::{time::clock_getcpuclockid, unistd::Pid};
    let process = Pid::from_raw(process.try_into().ok()?);
    Some(clock_getcpuclockid(process).ok()?.now().ok()?.into())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn cpu_time_of(_process: u32) -> Option<Duration> {
    None
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_used_time_until_it_is_gone() {
        let own = cpu_time_of(std::process::id()).unwrap();
        while cpu_time_of(std::process::id()).unwrap() <= own {}

        let mut process = std::process::Command::new("true").spawn().unwrap();
        process.wait().unwrap();
        assert_eq!(cpu_time_of(process.id()), None);
    }
}
