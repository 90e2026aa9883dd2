//! The watchdog: what it says, when, and when it is silent.

use crate::support::{env_number, watchdog::Watchdog as Hang};
use bandq::{
    Band, Builder, Policy, Receiver, Sender,
    observe::{Alarm, AlarmKind, Stage, Watchdog},
};
use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread::{self, sleep},
    time::{Duration, Instant},
};

const MS: Duration = Duration::from_millis(1);

fn channel() -> (Sender<u32>, Receiver<u32>) {
    Builder::new(3).capacity(10).observe().build().unwrap()
}

/// A watchdog with a limit of 30 ms for band 1, and what it says.
fn watched(receiver: &Receiver<u32>) -> (Watchdog, mpsc::Receiver<Alarm>) {
    let (say, heard) = mpsc::channel();
    let watchdog = Watchdog::new(receiver)
        .limit(Band::new(1), 30 * MS)
        .every(5 * MS)
        .spawn(move |alarm| _ = say.send(alarm))
        .unwrap();
    (watchdog, heard)
}

#[test]
fn it_says_when_a_band_starves_again_at_each_doubling_and_when_it_is_over() {
    let _hang = Hang::new("it_says_when_a_band_starves");
    let (sender, receiver) = channel();
    let (_watchdog, heard) = watched(&receiver);
    sender.try_send(Band::new(1), 1).unwrap();
    let first = heard.recv().unwrap();
    assert_eq!(
        (first.kind, first.stage),
        (AlarmKind::Starved, Stage::Began)
    );
    assert_eq!((first.band, first.limit), (Some(Band::new(1)), 30 * MS));
    assert!(first.age > 30 * MS);
    let mut last = first.age;
    for _ in 0..2 {
        let next = heard.recv().unwrap();
        assert_eq!((next.kind, next.stage), (AlarmKind::Starved, Stage::Lasts));
        assert!(next.age >= 2 * last, "{:?} after {last:?}", next.age);
        last = next.age;
    }
    receiver.try_recv().unwrap();
    let end = heard.recv().unwrap();
    assert_eq!((end.kind, end.stage), (AlarmKind::Starved, Stage::Ended));
    assert!(end.age >= last && end.lasted + 30 * MS >= last);
    // One that is not watched may wait.
    sender.try_send(Band::new(2), 1).unwrap();
    assert_eq!(heard.recv_timeout(200 * MS), Err(RecvTimeoutError::Timeout));
}

/// Looks that found it and said nothing are counted: of a wait of 30 to 60 ms at every 5 ms, some.
#[test]
fn it_says_how_much_it_left_out() {
    let _hang = Hang::new("it_says_how_much_it_left_out");
    let (sender, receiver) = channel();
    let (_watchdog, heard) = watched(&receiver);
    sender.try_send(Band::new(1), 1).unwrap();
    let mut left_out = 0;
    while left_out == 0 {
        let alarm = heard.recv().unwrap();
        left_out = alarm.left_out;
        assert!(alarm.stage != Stage::Began || left_out == 0);
        assert_eq!(alarm.to_string().contains("left out"), left_out > 0);
    }
}

#[test]
fn it_calls_an_inversion_by_its_name_and_says_who_is_at_work_and_where_it_was_sent() {
    let _hang = Hang::new("it_calls_an_inversion_by_its_name");
    let (sender, receiver) = channel();
    let (say, heard) = mpsc::channel();
    let _watchdog = Watchdog::new(&receiver)
        .limit(Band::new(1), 30 * MS)
        .dump(|| "my tasks".to_owned())
        .spawn(move |alarm| _ = say.send(alarm))
        .unwrap();
    let line = line!() + 1;
    sender.try_send(Band::new(2), 1).unwrap();
    let (band, _) = receiver.try_recv().unwrap();
    let working = receiver.working(band);
    sender.try_send(Band::new(1), 2).unwrap();
    let alarm = heard.recv().unwrap();
    assert_eq!(
        (alarm.kind, alarm.stage),
        (AlarmKind::Inversion, Stage::Began)
    );
    let [running] = &alarm.running[..] else {
        panic!("one works: {:?}", alarm.running);
    };
    assert_eq!(running.band, Band::new(2));
    assert!(running.since >= alarm.age);
    let from = running.sent_from.unwrap();
    assert_eq!((from.file(), from.line()), (file!(), line));
    assert_eq!(alarm.dump.as_deref(), Some("my tasks"));
    let said = alarm.to_string();
    assert!(said.contains("inversion began: band 1") && said.contains(&from.to_string()));
    drop(working);
    receiver.try_recv().unwrap();
    let end = heard
        .iter()
        .find(|alarm| alarm.stage == Stage::Ended)
        .unwrap();
    assert_eq!((end.kind, end.dump), (AlarmKind::Inversion, None));
}

/// A band that starves, and is found to be inverted only then.
#[test]
fn a_starved_band_that_turns_out_to_be_inverted_is_said_again() {
    let _hang = Hang::new("a_starved_band_that_turns_out_to_be_inverted");
    let (sender, receiver) = channel();
    let (_watchdog, heard) = watched(&receiver);
    sender.try_send(Band::new(1), 2).unwrap();
    assert_eq!(heard.recv().unwrap().kind, AlarmKind::Starved);
    let _working = receiver.working(Band::new(2));
    let next = heard
        .iter()
        .find(|alarm| alarm.kind == AlarmKind::Inversion)
        .unwrap();
    assert_eq!(next.stage, Stage::Lasts);
}

#[test]
fn it_says_when_nine_tenths_are_used_and_when_no_more_than_eight_are() {
    let _hang = Hang::new("it_says_when_nine_tenths_are_used");
    let (sender, receiver) = channel();
    let (_watchdog, heard) = watched(&receiver);
    sender.try_send_many(Band::URGENT, 0..9).unwrap();
    assert_eq!(heard.recv_timeout(100 * MS), Err(RecvTimeoutError::Timeout));
    sender.try_send(Band::URGENT, 9).unwrap();
    let alarm = heard.recv().unwrap();
    assert_eq!(
        (alarm.kind, alarm.stage),
        (AlarmKind::NearlyFull, Stage::Began)
    );
    assert_eq!(
        (alarm.band, alarm.used, alarm.capacity),
        (None, 10, Some(10))
    );
    receiver.try_recv().unwrap();
    while let Ok(alarm) = heard.recv_timeout(100 * MS) {
        assert_eq!(
            alarm.stage,
            Stage::Lasts,
            "nine are still too many for the end"
        );
    }
    receiver.try_recv().unwrap();
    let end = heard
        .iter()
        .find(|alarm| alarm.stage != Stage::Lasts)
        .unwrap();
    assert_eq!((end.kind, end.stage), (AlarmKind::NearlyFull, Stage::Ended));
}

/// What waited for more than three times the limit is always seen, though the watchdog looks once a
/// minute: by the times of what was received.
#[test]
fn a_breach_between_two_looks_is_said_all_the_same() {
    let _hang = Hang::new("a_breach_between_two_looks");
    let (sender, receiver) = channel();
    let (say, heard) = mpsc::channel();
    let _watchdog = Watchdog::new(&receiver)
        .limit(Band::new(1), 10 * MS)
        .every(400 * MS)
        .spawn(move |alarm| _ = say.send(alarm))
        .unwrap();
    sleep(50 * MS); // after its first look
    sender.try_send(Band::new(1), 1).unwrap();
    sleep(40 * MS);
    receiver.try_recv().unwrap();
    let began = heard.recv().unwrap();
    let ended = heard.recv().unwrap();
    assert_eq!((began.stage, ended.stage), (Stage::Began, Stage::Ended));
    assert!(began.age >= 39 * MS);
}

/// One right behind an episode as well: the first was seen waiting, the second was not.
#[test]
fn a_breach_right_behind_an_episode_is_said_too() {
    let _hang = Hang::new("a_breach_right_behind_an_episode");
    let (sender, receiver) = channel();
    let (say, heard) = mpsc::channel();
    let _watchdog = Watchdog::new(&receiver)
        .limit(Band::new(1), 10 * MS)
        .every(300 * MS)
        .spawn(move |alarm| _ = say.send(alarm.stage))
        .unwrap();
    sender.try_send(Band::new(1), 1).unwrap();
    assert_eq!(heard.recv(), Ok(Stage::Began));
    receiver.try_recv().unwrap();
    assert_eq!(
        heard.iter().find(|stage| *stage != Stage::Lasts),
        Some(Stage::Ended)
    );
    sender.try_send(Band::new(1), 2).unwrap();
    sleep(50 * MS);
    receiver.try_recv().unwrap();
    assert_eq!(heard.recv(), Ok(Stage::Began));
    assert_eq!(heard.recv(), Ok(Stage::Ended));
}

/// Of several that were received at once it is not known which one is worked on.
#[test]
fn where_an_item_came_from_is_not_said_of_a_batch() {
    let (sender, receiver) = channel();
    let say_where = || {
        let (say, heard) = mpsc::channel();
        let working = receiver.working(Band::new(1));
        let watchdog = Watchdog::new(&receiver)
            .limit(Band::URGENT, MS)
            .spawn(move |alarm| _ = say.send(alarm))
            .unwrap();
        let alarm: Alarm = heard.recv().unwrap();
        drop((watchdog, working));
        alarm.running[0].sent_from
    };
    sender.try_send(Band::URGENT, 0).unwrap();
    let reports = receiver.within(Band::new(1)..=Band::new(1));
    sender.try_send_many(Band::new(1), 0..4).unwrap();
    reports.try_recv().unwrap();
    assert!(say_where().is_some());
    assert_eq!(say_where(), None, "it was told once");
    assert_eq!(reports.try_recv_many(&mut Vec::new(), 2), Ok(2));
    assert_eq!(say_where(), None);
    assert_eq!(reports.try_recv_many(&mut Vec::new(), 1), Ok(1));
    assert!(say_where().is_some());
}

/// Items that wait, but less than the limit, at a time in which it looks often, and threads that
/// make noise. What waited for how long says the channel: if the noise was so bad that something
/// did wait for longer, that has to be said.
#[test]
fn a_healthy_load_under_noise_raises_no_alarm() {
    let seconds = env_number("BANDQ_HEALTHY_SECONDS", 2);
    let limit = Duration::from_secs(seconds + 120);
    let _hang = Hang::with_limit("a_healthy_load_under_noise", limit);
    let limit = Duration::from_secs(2);
    let policy = Policy::ageing(MS);
    let builder = Builder::new(4).policy(policy).capacity(100);
    let (sender, receiver) = builder.observe().build().unwrap();
    let (say, heard) = mpsc::channel();
    let builder = (0..4).fold(Watchdog::new(&receiver), |builder, band| {
        builder.limit(Band::new(band), limit)
    });
    let hook = move |alarm| _ = say.send(alarm);
    let watchdog = builder.every(MS).spawn(hook).unwrap();
    let end = Instant::now() + Duration::from_secs(seconds);
    thread::scope(|scope| {
        let noise = || while Instant::now() < end {};
        scope.spawn(noise);
        scope.spawn(noise);
        for _ in 0..2 {
            let receiver = receiver.clone();
            scope.spawn(move || {
                while let Ok((band, _)) = receiver.recv_blocking() {
                    let _working = receiver.working(band);
                    thread::yield_now();
                }
            });
        }
        let mut n: u32 = 0;
        while Instant::now() < end {
            // Half full at the most.
            if sender.len() < 50 {
                sender.try_send(Band::new((n % 4) as u8), n).unwrap();
                n += 1;
            }
        }
        sender.close();
    });
    let bands = receiver.snapshot().bands;
    let longest = bands
        .iter()
        .filter_map(|band| band.get.max())
        .max()
        .unwrap();
    println!(
        "{:?}: the longest wait {longest:?}, limit {limit:?}",
        bands[0].get
    );
    drop(watchdog);
    let alarms: Vec<_> = heard.iter().collect();
    if longest <= limit {
        assert_eq!(alarms, []);
    } else if longest > limit * 21 / 20 {
        assert!(!alarms.is_empty(), "{longest:?}");
    }
}

#[test]
fn it_keeps_no_channel_open_and_ends_with_it() {
    let _hang = Hang::new("it_keeps_no_channel_open_and_ends_with_it");
    let (sender, receiver) = channel();
    let (watchdog, heard) = watched(&receiver);
    drop(receiver);
    assert!(sender.is_closed());
    assert!(
        heard.recv().is_err(),
        "the hook is dropped: the thread has ended"
    );
    drop(watchdog);
}

#[test]
fn dropping_it_ends_it_at_once_and_the_hook_may_do_so() {
    let _hang = Hang::new("dropping_it_ends_it_at_once");
    let (sender, receiver) = channel();
    let watchdog = Watchdog::new(&receiver)
        .every(Duration::from_secs(1_000_000))
        .spawn(drop)
        .unwrap();
    drop(watchdog);
    let (give, own) = mpsc::channel::<Watchdog>();
    let (say, heard) = mpsc::channel();
    let watchdog = Watchdog::new(&receiver)
        .limit(Band::URGENT, MS)
        .spawn(move |_| {
            drop(own.recv());
            say.send(()).unwrap();
        })
        .unwrap();
    give.send(watchdog).unwrap();
    sender.try_send(Band::URGENT, 1).unwrap();
    heard.recv().unwrap();
    assert!(heard.recv().is_err(), "it has ended");
}

#[test]
fn a_hook_that_panics_is_called_again() {
    let _hang = Hang::new("a_hook_that_panics_is_called_again");
    let (sender, receiver) = channel();
    let (say, heard) = mpsc::channel();
    let _watchdog = Watchdog::new(&receiver)
        .limit(Band::URGENT, 5 * MS)
        .spawn(move |alarm| {
            say.send(alarm.stage).unwrap();
            panic!("as it is meant to");
        })
        .unwrap();
    sender.try_send(Band::URGENT, 1).unwrap();
    assert_eq!(heard.recv(), Ok(Stage::Began));
    assert_eq!(heard.recv(), Ok(Stage::Lasts));
}

#[test]
fn a_channel_that_is_not_observed_cannot_be_watched() {
    let (_sender, receiver) = bandq::unbounded::<u32>(1);
    let error = Watchdog::new(&receiver).spawn(drop).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}
