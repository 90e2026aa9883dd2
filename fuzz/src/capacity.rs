//! Target `capacity`: units of room, however they are held.
//!
//! The same channel and model as in target `channel`, always bounded, with fewer kinds of steps, so
//! that programs go deeper where room is taken, waited for, given back, passed on and lost. At the
//! end of each run the units are counted.

use arbitrary::Arbitrary;

use crate::bands::bands_from;
use crate::program::Program;
use crate::world::{Kind, World};

/// One step; see [`channel::Op`](crate::channel::Op).
#[derive(Arbitrary, Clone, Copy, Debug)]
#[expect(
    missing_docs,
    reason = "named like the calls they stand for, and their arguments"
)]
pub enum Op {
    SendNow { band: u8, how: u8 },
    BeginSend { band: u8, poll: bool },
    BeginSendMany { band: u8, count: u8, flags: u8 },
    BeginReserve { band: u8, poll: bool },
    TryReserve { band: u8 },
    PermitSend { permit: u8 },
    PermitDrop { permit: u8 },
    PermitForget { permit: u8 },
    RecvNow { how: u8 },
    RecvManyNow { limit: u8 },
    Drain { count: u8, sends: u8 },
    BeginRecv { poll: bool },
    PollStream,
    Poll { task: u8, other_waker: bool },
    PollWoken { which: u8 },
    RunWoken,
    Cancel { task: u8 },
    Forget { task: u8, flags: u8 },
    Close { handle: u8 },
    BeginReserveOwned { band: u8, poll: bool },
    BeginReserveMany { band: u8, units: u8, poll: bool },
    TryReserveMany { band: u8, units: u8 },
    SendManyNow { band: u8, count: u8, how: u8 },
    PollRecvMany { limit: u8 },
    Again,
}

/// Runs a program. The first byte of setup is the number of bands, the second the capacity.
pub fn run(program: &Program<Op>) {
    let [bands, capacity] = program.setup;
    let capacity = usize::from(capacity % 8) + 1;
    let mut world = World::<0>::new(bands_from(bands), Some(capacity));
    for &op in &program.steps {
        step(&mut world, op);
    }
    world.audit();
    world.finish();
}

fn step(world: &mut World<0>, op: Op) {
    match op {
        Op::SendNow { band, how } => world.send_now(0, band, how),
        Op::BeginSend { band, poll } => world.begin_send(0, band, poll),
        Op::BeginSendMany { band, count, flags } => {
            let count = count as usize % 16;
            world.begin_send_many(0, band, count, flags & 1 != 0, flags & 2 == 0);
        }
        Op::BeginReserve { band, poll } => world.begin_reserve(0, band, Kind::One, poll),
        Op::TryReserve { band } => world.try_reserve(0, band, Kind::One),
        Op::PermitSend { permit } => world.permit_send(permit),
        Op::PermitDrop { permit } => world.permit_drop(permit),
        Op::PermitForget { permit } => world.permit_forget(permit),
        Op::RecvNow { how } => world.recv_now(0, how),
        Op::RecvManyNow { limit } => world.recv_many_now(0, limit as usize % 12, 0),
        Op::Drain { count, sends } => world.drain(0, count as usize % 12, sends as usize % 12),
        Op::BeginRecv { poll } => world.begin_recv(0, poll),
        Op::PollStream => world.poll_stream(0, false),
        Op::Poll { task, other_waker } => world.poll_task(task, other_waker),
        Op::PollWoken { which } => world.poll_woken(which),
        Op::RunWoken => world.run_woken(),
        Op::Cancel { task } => world.cancel(task),
        Op::Forget { task, flags } => world.forget_task(task, flags % 16 == 15),
        // Rarely, as little is left to see after it.
        Op::Close { handle } if handle >= 224 => world.close(handle),
        Op::Close { .. } => {}
        Op::BeginReserveOwned { band, poll } => world.begin_reserve(0, band, Kind::Owned, poll),
        Op::BeginReserveMany { band, units, poll } => {
            world.begin_reserve(0, band, Kind::Many(units as usize % 12), poll);
        }
        Op::TryReserveMany { band, units } => {
            world.try_reserve(0, band, Kind::Many(units as usize % 12));
        }
        Op::SendManyNow { band, count, how } => {
            world.send_many_now(0, band, count as usize % 12, how);
        }
        Op::PollRecvMany { limit } => world.poll_recv_many(0, limit as usize % 12, false),
        Op::Again => world.again(),
    }
}
