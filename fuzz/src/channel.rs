//! Target `channel`: every call of the channel, its futures on a hand-driven executor, against a
//! model that also knows who must have been woken.

use arbitrary::Arbitrary;

use crate::bands::bands_from;
use crate::program::Program;
use crate::world::{Kind, World};

/// One step. Which handle, future or permit is meant is a byte, taken modulo their number; where
/// there is none the step does nothing.
#[derive(Arbitrary, Clone, Copy, Debug)]
#[expect(
    missing_docs,
    reason = "named like the calls they stand for, and their arguments"
)]
pub enum Op {
    SendNow {
        sender: u8,
        band: u8,
        how: u8,
    },
    RecvNow {
        receiver: u8,
        how: u8,
    },
    BeginSend {
        sender: u8,
        band: u8,
        poll: bool,
    },
    BeginSendMany {
        sender: u8,
        band: u8,
        count: u8,
    },
    BeginReserve {
        sender: u8,
        band: u8,
        poll: bool,
    },
    BeginRecv {
        receiver: u8,
        poll: bool,
    },
    BeginRecvMany {
        receiver: u8,
        limit: u8,
        poll: bool,
    },
    BeginClosed {
        handle: u8,
        poll: bool,
    },
    Poll {
        task: u8,
        other_waker: bool,
    },
    PollWoken {
        which: u8,
    },
    RunWoken,
    Cancel {
        task: u8,
    },
    Forget {
        task: u8,
        flags: u8,
    },
    PollStream {
        receiver: u8,
        other_waker: bool,
    },
    RecvManyNow {
        receiver: u8,
        limit: u8,
        how: u8,
    },
    Iterate {
        receiver: u8,
        count: u8,
        how: u8,
    },
    Drain {
        receiver: u8,
        count: u8,
        sends: u8,
    },
    TryReserve {
        sender: u8,
        band: u8,
    },
    PermitSend {
        permit: u8,
    },
    PermitDrop {
        permit: u8,
    },
    PermitForget {
        permit: u8,
    },
    CloneSender {
        sender: u8,
    },
    CloneReceiver {
        receiver: u8,
    },
    DropSender {
        sender: u8,
    },
    DropReceiver {
        receiver: u8,
    },
    ForgetSender {
        sender: u8,
    },
    ForgetReceiver {
        receiver: u8,
    },
    Downgrade {
        handle: u8,
    },
    Upgrade {
        handle: u8,
    },
    DropWeak {
        handle: u8,
    },
    Close {
        handle: u8,
    },
    BandLen {
        band: u8,
    },
    BeginReserveOwned {
        sender: u8,
        band: u8,
        poll: bool,
    },
    BeginReserveMany {
        sender: u8,
        band: u8,
        units: u8,
    },
    TryReserveOwned {
        sender: u8,
        band: u8,
    },
    TryReserveMany {
        sender: u8,
        band: u8,
        units: u8,
    },
    SendManyNow {
        sender: u8,
        band: u8,
        count: u8,
    },
    PollRecvMany {
        receiver: u8,
        limit: u8,
        other_waker: bool,
    },
    Bind {
        sender: u8,
        band: u8,
    },
    Bound {
        sender: u8,
        how: u8,
    },
    Again,
}

/// Runs a program. The first byte of setup is the number of bands, the second the capacity and the
/// size of the items.
pub fn run(program: &Program<Op>) {
    let [bands, second] = program.setup;
    let bands = bands_from(bands);
    let capacity = match second % 8 {
        0 | 1 => None,
        2 | 3 => Some(1),
        4 => Some(2),
        5 => Some(3),
        6 => Some(5),
        _ => Some(usize::MAX),
    };
    match second / 8 % 4 {
        0 | 1 => steps(World::<0>::new(bands, capacity), &program.steps),
        2 => steps(World::<600>::new(bands, capacity), &program.steps),
        _ => steps(World::<2000>::new(bands, capacity), &program.steps),
    }
}

fn steps<const PAD: usize>(mut world: World<PAD>, steps: &[Op]) {
    for &op in steps {
        step(&mut world, op);
    }
    world.finish();
}

fn step<const PAD: usize>(world: &mut World<PAD>, op: Op) {
    let small = |byte: u8| byte as usize % 8;
    match op {
        Op::SendNow { sender, band, how } => world.send_now(sender, band, how),
        Op::RecvNow { receiver, how } => world.recv_now(receiver, how),
        Op::BeginSend { sender, band, poll } => world.begin_send(sender, band, poll),
        Op::BeginSendMany {
            sender,
            band,
            count,
        } => {
            let (keep, poll) = (count & 64 != 0, count & 128 == 0);
            world.begin_send_many(sender, band, small(count), keep, poll);
        }
        Op::BeginReserve { sender, band, poll } => {
            world.begin_reserve(sender, band, Kind::One, poll);
        }
        Op::BeginRecv { receiver, poll } => world.begin_recv(receiver, poll),
        Op::BeginRecvMany {
            receiver,
            limit,
            poll,
        } => {
            world.begin_recv_many(receiver, small(limit), poll);
        }
        Op::BeginClosed { handle, poll } => world.begin_closed(handle, poll),
        Op::Poll { task, other_waker } => world.poll_task(task, other_waker),
        Op::PollWoken { which } => world.poll_woken(which),
        Op::RunWoken => world.run_woken(),
        Op::Cancel { task } => world.cancel(task),
        Op::Forget { task, flags } => world.forget_task(task, flags % 16 == 15),
        Op::PollStream {
            receiver,
            other_waker,
        } => world.poll_stream(receiver, other_waker),
        Op::RecvManyNow {
            receiver,
            limit,
            how,
        } => world.recv_many_now(receiver, small(limit), how),
        Op::Iterate {
            receiver,
            count,
            how,
        } => world.iterate(receiver, small(count), how),
        Op::Drain {
            receiver,
            count,
            sends,
        } => {
            world.drain(receiver, small(count), small(sends));
        }
        Op::TryReserve { sender, band } => world.try_reserve(sender, band, Kind::One),
        Op::PermitSend { permit } => world.permit_send(permit),
        Op::PermitDrop { permit } => world.permit_drop(permit),
        Op::PermitForget { permit } => world.permit_forget(permit),
        Op::CloneSender { sender } => world.clone_sender(sender),
        Op::CloneReceiver { receiver } => world.clone_receiver(receiver),
        Op::DropSender { sender } => world.drop_sender(sender),
        Op::DropReceiver { receiver } => world.drop_receiver(receiver),
        Op::ForgetSender { sender } => world.forget_sender(sender),
        Op::ForgetReceiver { receiver } => world.forget_receiver(receiver),
        Op::Downgrade { handle } => world.downgrade(handle),
        Op::Upgrade { handle } => world.upgrade(handle),
        Op::DropWeak { handle } => world.drop_weak(handle),
        Op::Close { handle } => world.close(handle),
        Op::BandLen { band } => world.band_len(band),
        Op::BeginReserveOwned { sender, band, poll } => {
            world.begin_reserve(sender, band, Kind::Owned, poll);
        }
        Op::BeginReserveMany {
            sender,
            band,
            units,
        } => {
            let kind = Kind::Many(units as usize % 4);
            world.begin_reserve(sender, band, kind, units & 128 == 0);
        }
        Op::TryReserveOwned { sender, band } => world.try_reserve(sender, band, Kind::Owned),
        Op::TryReserveMany {
            sender,
            band,
            units,
        } => world.try_reserve(sender, band, Kind::Many(units as usize % 4)),
        Op::SendManyNow {
            sender,
            band,
            count,
        } => world.send_many_now(sender, band, small(count), count / 128),
        Op::PollRecvMany {
            receiver,
            limit,
            other_waker,
        } => world.poll_recv_many(receiver, small(limit), other_waker),
        Op::Bind { sender, band } => world.bind(sender, band),
        Op::Bound { sender, how } => world.bound(sender, how),
        Op::Again => world.again(),
    }
}
