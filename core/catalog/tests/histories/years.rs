//! Time goes by: a backup comes each day or so, and retention runs after it, by clocks that are right, stuck, or jump.

use catalog::retention::{Limit, Removals};
use catalog::{Layout, Policy, Tag, plan};
use jiff::{SignedDuration, Timestamp};
use rand::RngExt as _;
use rand::rngs::StdRng;

use super::act::{Act, Trouble};
use super::generate::{DAY, HOUR, moment};
use super::store::{Kind, Made, Store, ensure, later};
use super::tally::Tally;

/// How many of the good ones that were there when the day began may be gone at its end.
struct Morning {
    day: i64,
    good: Vec<catalog::BackupId>,
}

/// What the account of the day promises: at most half of what a morning had goes on that day, however often retention runs.
pub(crate) fn as_time_goes_by(policy: &Policy, random: &mut StdRng, tally: &mut Tally) -> Result<(), String> {
    let mut store = Store::new(Layout::bucket("backups"), random.random_bool(0.5));
    let (mut time, days) = (moment(random).min(later(Timestamp::MAX, -200 * DAY)), random.random_range(5..25));
    let wrong = random.random_range(0..4);
    let (stuck, mut account) = (later(time, random.random_range(0..20) * DAY), Removals::none(time));
    let mut morning = Morning { day: i64::MIN, good: Vec::new() };
    for _ in 0..days {
        time = later(time, *[DAY, DAY, HOUR, 6 * HOUR, 3 * DAY].get(random.random_range(0..5)).unwrap_or(&DAY));
        let kind = if random.random_bool(0.9) { Kind::Good } else { Kind::Damaged };
        store.make(kind, &Tag::At(time), time, time);
        tally.days += 1;
        let now = match wrong {
            // Right, for all but the day's account.
            0 | 1 => later(time, 60),
            2 => stuck,
            _ => later(time, random.random_range(-30 * DAY..30 * DAY)),
        };
        let day = now.as_second().div_euclid(DAY);
        if morning.day != day {
            let is_old = |made: &&Made| made.written.as_second().div_euclid(DAY) < day;
            morning = Morning { day, good: store.good().filter(is_old).map(|made| made.id.clone()).collect() };
        }
        run(&mut store, policy, &mut account, now, random, tally)?;
        let gone = morning.good.iter().filter(|id| !store.has_backup(id)).count();
        let within = wrong > 1 || gone * 2 <= morning.good.len();
        ensure(within, || format!("{gone} of {} that were there in the morning go in a day", morning.good.len()))?;
        let newest = store.made.iter().filter(|made| made.counts()).max_by_key(|made| made.instant());
        ensure(newest.is_none_or(|newest| store.has_backup(&newest.id)), || {
            format!("the newest good one goes at {now}")
        })?;
        let made = store.made.iter().filter(|made| made.counts()).count();
        let minimum = made.min(policy.minimum_good.max(1) as usize);
        ensure(store.good().count() >= minimum, || format!("fewer than {minimum} good ones are left at {now}"))?;
    }
    Ok(())
}

fn run(
    store: &mut Store,
    policy: &Policy,
    account: &mut Removals,
    now: Timestamp,
    random: &mut StdRng,
    tally: &mut Tally,
) -> Result<(), String> {
    let catalog = store.honest();
    let read = Removals::from_json(&account.to_json().map_err(|error| error.to_string())?)
        .map_err(|error| error.to_string())?;
    let mut today = read.at(now);
    let by_itself = plan(&catalog, policy, now, Limit::Half);
    let is_refused = by_itself.refused.is_some();
    let plan = today.hold("app", by_itself);
    tally.day_refused += u64::from(plan.refused.is_some() && !is_refused);
    today.miss(std::slice::from_ref(&catalog), now);
    today.add(&catalog, &plan);
    ensure(today.vanished.is_empty(), || format!("retention misses what it has removed itself: {:?}", today.vanished))?;
    *account = today;
    Act::begin(store, &plan, Trouble::default()).carry_through(store, random, tally)?;
    let floor = SignedDuration::from_secs(i64::from(policy.never_younger_days) * DAY);
    let newest = store.good().map(|made| made.instant()).max();
    let is_young = |made: &&Made| newest.is_some_and(|newest| newest.duration_since(made.instant()) <= floor);
    let gone =
        store.made.iter().filter(|made| made.is_backup()).filter(is_young).find(|made| !store.has_backup(&made.id));
    ensure(gone.is_none() || floor.is_zero(), || format!("{gone:?} goes before the floor"))
}
