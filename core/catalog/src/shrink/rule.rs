//! When a loss is worth a warning. The rule is for people who read warnings: rather one too few than one each night.

use std::collections::BTreeMap;

use archive::{Census, TableCensus};

use super::loss::Loss;

/// A table that is gone or empty had at least so many rows.
const FEW: u64 = 100;
/// A table that still has rows had at least so many.
const MANY: u64 = 1_000;
/// Bytes that stand for a row where rows weren't counted, because they were dumped as INSERTs.
const ROW: u64 = 100;
/// Digits of a year.
const YEAR: usize = 4;

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// A table of many rows is named when at least this part of them is gone, in percent; 0: nothing is ever named.
    pub percent: u32,
    /// Tables that are never named: `name` or `schema.name`, where `*` stands for anything.
    pub except: Vec<String>,
}

impl Default for Rule {
    fn default() -> Self {
        Self { percent: 50, except: Vec::new() }
    }
}

/// What the second census lacks of the first, the largest loss first.
#[must_use]
pub fn lost(before: &Census, after: &Census, rule: &Rule) -> Vec<Loss> {
    compared(before, after, (rule, true))
}

/// The same of two whose INSERTs are of another form, such as several rows in each: how many bytes they are says nothing then.
#[must_use]
pub fn lost_in_another_form(before: &Census, after: &Census, rule: &Rule) -> Vec<Loss> {
    compared(before, after, (rule, false))
}

fn compared(before: &Census, after: &Census, (rule, has_same_form): (&Rule, bool)) -> Vec<Loss> {
    if rule.percent == 0 {
        return Vec::new();
    }
    let (before, after) = &Census::alike(before, after);
    let (old, new) = (Groups::of(before, rule), Groups::of(after, rule));
    let losses = old.0.iter().filter(|(key, held)| {
        has_same_form || !held.is_uncounted || new.0.get(*key).is_none_or(|left| left.bytes == 0)
    });
    let mut losses: Vec<Loss> = losses.filter_map(|(key, held)| held.loss(key, new.0.get(key), rule)).collect();
    losses.extend(large_objects(before, after, rule));
    losses.sort_by_key(|loss| std::cmp::Reverse(loss.before.saturating_sub(loss.after.unwrap_or(0))));
    losses
}

fn large_objects(before: &Census, after: &Census, rule: &Rule) -> Option<Loss> {
    let (before, after) = (before.large_objects.count, after.large_objects.count);
    let loss = Loss { schema: None, name: None, before, after: Some(after), in_bytes: false };
    rule.is_lost(before, after).then_some(loss)
}

impl Rule {
    /// Whether what has gone from `before` to `after` is worth a word.
    fn is_lost(&self, before: u64, after: u64) -> bool {
        if after == 0 {
            return before >= FEW;
        }
        let gone = u128::from(before.saturating_sub(after));
        before >= MANY && gone > 0 && gone * 100 >= u128::from(before) * u128::from(self.percent.min(100))
    }

    /// Whether it has fallen as low before, within these censuses of backups before, which come newest first: what only came to be lately was
    /// nothing before, and has not fallen.
    pub(crate) fn has_fallen_before(&self, loss: &Loss, history: &[Census]) -> bool {
        let left = loss.after.unwrap_or(0) / if loss.in_bytes { ROW } else { 1 };
        let weights = history.iter().map(|census| self.weight(loss, census));
        // That a table was empty once doesn't say that it may go.
        let is_as_low = |weight: &Option<u64>| match weight {
            None => true,
            Some(weight) => loss.after.is_some() && !self.is_lost(*weight, left),
        };
        let has_fallen = |weight: &Option<u64>| !self.is_lost(weight.unwrap_or(0), left);
        let from_its_first: Vec<Option<u64>> = weights.rev().skip_while(has_fallen).collect();
        from_its_first.iter().any(is_as_low)
    }

    /// How much a census has of what was lost; `None`: it hasn't the table.
    fn weight(&self, loss: &Loss, census: &Census) -> Option<u64> {
        let (Some(schema), Some(name)) = (&loss.schema, &loss.name) else { return Some(census.large_objects.count) };
        let key = (schema.clone(), without_numbers(name));
        let held = Groups::of(census, self).0.remove(&key);
        held.or_else(|| Groups::of(&census.as_called(), self).0.remove(&key)).map(|held| held.weight())
    }

    fn leaves_out(&self, table: &TableCensus) -> bool {
        let whole = format!("{}.{}", table.schema, table.name);
        self.except.iter().any(|pattern| fits(pattern, &table.name) || fits(pattern, &whole))
    }
}

/// Whether a text fits a pattern in which `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((begin, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(begin) else { return false };
    (0..=text.len()).filter_map(|at| text.get(at..)).any(|text| fits(rest, text))
}

/// Tables by their names, those that differ in numbers alone together: such as the partitions of a table by month.
struct Groups(BTreeMap<(String, String), Held>);

/// What tables of one name hold.
#[derive(Clone, Debug, Default)]
struct Held {
    /// Of one table alone.
    name: Option<String>,
    tables: usize,
    rows: u64,
    bytes: u64,
    /// Some were dumped as INSERTs.
    is_uncounted: bool,
}

impl Groups {
    fn of(census: &Census, rule: &Rule) -> Self {
        let mut groups: BTreeMap<(String, String), Held> = BTreeMap::new();
        for table in census.tables.iter().filter(|table| !rule.leaves_out(table)) {
            let held = groups.entry((table.schema.clone(), without_numbers(&table.name))).or_default();
            held.tables += 1;
            held.name = Some(table.name.clone()).filter(|_| held.tables == 1);
            held.rows = held.rows.saturating_add(table.rows.unwrap_or(0));
            held.bytes = held.bytes.saturating_add(table.bytes);
            held.is_uncounted |= table.rows.is_none();
        }
        Self(groups)
    }
}

impl Held {
    fn loss(&self, (schema, name): &(String, String), after: Option<&Self>, rule: &Rule) -> Option<Loss> {
        let (in_bytes, left) = (self.is_uncounted, after.cloned().unwrap_or_default());
        // Rows beside bytes can't be compared: the options of pg_dump have changed.
        if after.is_some() && left.is_uncounted != in_bytes && left.bytes > 0 {
            return None;
        }
        let amount = |held: &Self| if in_bytes { held.bytes } else { held.rows };
        let loss = Loss {
            schema: Some(schema.clone()),
            name: self
                .name
                .clone()
                .filter(|own| after.is_none_or(|left| left.name.as_ref() == Some(own)))
                .or(Some(name.clone())),
            before: amount(self),
            after: after.map(amount),
            in_bytes,
        };
        rule.is_lost(self.weight(), if in_bytes { left.bytes / ROW } else { left.rows }).then_some(loss)
    }

    fn weight(&self) -> u64 {
        if self.is_uncounted { self.bytes / ROW } else { self.rows }
    }
}

/// `events_2026_01` becomes `events_#_#`. Names with fewer digits than a year has are no partitions of a time.
fn without_numbers(name: &str) -> String {
    if name.bytes().filter(u8::is_ascii_digit).count() < YEAR {
        return name.to_owned();
    }
    let mut short = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter.is_ascii_digit() {
            true if short.ends_with('#') => {}
            true => short.push('#'),
            false => short.push(letter),
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use archive::{Called, LargeObjectCensus, Sha256Hex};

    use super::*;
    use crate::shrink::Shrink;

    fn census(tables: &[(&str, u64)]) -> Census {
        let table = |(name, rows): &(&str, u64)| TableCensus {
            schema: "public".into(),
            name: (*name).to_owned(),
            rows: Some(*rows),
            bytes: rows * 10,
            sha256: Sha256Hex::default(),
            called: None,
        };
        Census { tables: tables.iter().map(table).collect(), large_objects: LargeObjectCensus::default() }
    }

    fn said(before: &[(&str, u64)], after: &[(&str, u64)], rule: &Rule) -> Vec<String> {
        lost(&census(before), &census(after), rule).iter().map(Loss::in_words).collect()
    }

    #[test]
    fn only_what_is_large_and_mostly_gone_is_named_the_largest_loss_first() {
        let before = [
            ("big", 1_000),
            ("big_enough", 1_000),
            ("most", 5_000),
            ("few", 99),
            ("hundred", 100),
            ("grows", 1),
            ("some", 999),
        ];
        let after = [("big", 501), ("big_enough", 500), ("most", 1), ("grows", 5_000), ("hundred", 0), ("some", 1)];
        assert_eq!(
            said(&before, &after, &Rule::default()),
            [
                "table public.most has 1 row, where it had 5,000 rows",
                "table public.big_enough has 500 rows, where it had 1,000 rows",
                "table public.hundred has 0 rows, where it had 100 rows",
            ]
        );
        assert_eq!(
            said(&[("gone", 100), ("t1", 200), ("t2", 9_000)], &[("t2", 9_000)], &Rule::default()),
            ["table public.t1 is gone, with 200 rows", "table public.gone is gone, with 100 rows"]
        );
        assert_eq!(said(&before, &before, &Rule::default()), [""; 0]);
    }

    #[test]
    fn a_partition_that_makes_room_for_the_next_is_no_loss_and_all_of_them_are_one() {
        let months = [("events_2026_01", 5_000), ("events_2026_02", 5_000), ("events_2026_03", 5_000)];
        let next = [("events_2026_02", 5_000), ("events_2026_03", 5_000), ("events_2026_04", 10)];
        assert_eq!(said(&months, &next, &Rule::default()), [""; 0]);
        let all = "the tables public.events_#_# together are gone, with 15,000 rows";
        assert_eq!(said(&months, &[], &Rule::default()), [all]);
        let one = "the tables public.events_#_# together have 5,000 rows, where they had 15,000 rows";
        assert_eq!(said(&months, &next[..1], &Rule::default()), [one]);
        let alone = "table public.backup_2026 is gone, with 500 rows";
        assert_eq!(said(&[("backup_2026", 500)], &[], &Rule::default()), [alone]);
    }

    #[test]
    fn a_setting_tunes_the_rule_and_leaves_tables_out() {
        let (before, after) = ([("orders", 10_000), ("queue", 500)], [("orders", 7_000)]);
        let rule =
            |percent, except: &[&str]| Rule { percent, except: except.iter().map(|&name| name.to_owned()).collect() };
        assert_eq!(said(&before, &after, &rule(30, &[])).len(), 2);
        assert_eq!(said(&before, &after, &rule(31, &["queue"])).len(), 0);
        assert_eq!(said(&before, &after, &rule(30, &["public.q*", "x"])).len(), 1);
        assert_eq!(said(&before, &[], &rule(0, &[])).len(), 0, "switched off");
        assert_eq!(said(&before, &[], &rule(50, &["*"])).len(), 0);
    }

    #[test]
    fn what_was_as_empty_before_comes_and_goes() {
        let since = "app_backup_20260119_030000".parse().unwrap();
        let (before, after) =
            (census(&[("queue", 5_000), ("orders", 5_000), ("import", 500)]), census(&[("queue", 3), ("orders", 0)]));
        let shrink = Shrink::of(&since, lost(&before, &after, &Rule::default())).unwrap();
        assert_eq!(shrink.tables.len(), 3);
        let history = [before.clone(), census(&[("queue", 2), ("orders", 4_900)]), before.clone()];
        let left = shrink.clone().without_usual(&history, &Rule::default()).unwrap();
        assert_eq!(left.in_words(), "table public.orders has 0 rows, where it had 5,000 rows");
        assert_eq!(
            shrink.clone().without_usual(&[before.clone(), census(&[]), before.clone()], &Rule::default()),
            None
        );
        // That one was empty once, and accepted, doesn't excuse that it is gone.
        let import = |rows: Option<u64>| census(&rows.map(|rows| ("import", rows)).into_iter().collect::<Vec<_>>());
        let gone = Shrink::of(&since, lost(&import(Some(500)), &import(None), &Rule::default())).unwrap();
        let full = || import(Some(500));
        let emptied = [full(), import(Some(0)), full()];
        assert_eq!(gone.clone().without_usual(&emptied, &Rule::default()), Some(gone.clone()));
        assert_eq!(gone.without_usual(&[full(), import(None), full()], &Rule::default()), None);
        // A table that is new was nothing before, and has not fallen.
        let new = shrink.clone().without_usual(&[before.clone(), census(&[]), census(&[])], &Rule::default());
        assert_eq!(new, Some(shrink));
    }

    #[test]
    fn rows_that_were_not_counted_go_by_their_bytes() {
        let with = |rows: Option<u64>, bytes| {
            let mut census = census(&[("t", 0)]);
            (census.tables[0].rows, census.tables[0].bytes) = (rows, bytes);
            census
        };
        let said = |before: &Census, after: &Census| {
            lost(before, after, &Rule::default()).iter().map(Loss::in_words).collect::<Vec<_>>()
        };
        assert_eq!(said(&with(None, 1_000_000), &census(&[])), ["table public.t is gone, with 976.6 KiB"]);
        assert_eq!(said(&with(None, 1_000_000), &with(None, 400_000)).len(), 1);
        assert_eq!(said(&with(None, 9_000), &census(&[])).len(), 0);
        assert_eq!(said(&with(None, 1_000_000), &with(Some(10), 900)).len(), 0, "other options of pg_dump");
        let other_form = lost_in_another_form(&with(None, 1_000_000), &with(None, 200_000), &Rule::default());
        assert_eq!(other_form, [], "several rows in each INSERT");
        assert_eq!(lost_in_another_form(&with(None, 1_000_000), &census(&[]), &Rule::default()).len(), 1);
        assert_eq!(said(&with(Some(5_000), 50_000), &with(None, 50_000)).len(), 0);
        assert_eq!(said(&with(Some(5_000), 50_000), &with(Some(0), 0)).len(), 1);
    }

    #[test]
    fn tables_in_another_character_set_are_told_apart_where_both_backups_know_how() {
        let called = |tables: &[(&str, u64)], is_known: bool| {
            let mut census = census(tables);
            for table in &mut census.tables {
                let name = std::mem::replace(&mut table.name, "gr\u{fffd}\u{fffd}e".to_owned());
                table.called = is_known.then(|| Box::new(Called { schema: "public".into(), name }));
            }
            census
        };
        let said = |before: &Census, after: &Census| {
            lost(before, after, &Rule::default()).iter().map(Loss::in_words).collect::<Vec<_>>()
        };
        let (before, after) = ([("größe", 5_000), ("grüße", 5_000)], [("größe", 5_000), ("grüße", 0)]);
        assert_eq!(
            said(&called(&before, true), &called(&after, true)),
            ["table public.grüße has 0 rows, where it had 5,000 rows"]
        );
        let gone = said(&called(&before, true), &called(&after[..1], true));
        assert_eq!(gone, ["table public.grüße is gone, with 5,000 rows"]);
        // A manifest of a release that didn't know: all have one name, in both.
        assert_eq!(said(&called(&before, false), &called(&before, true)), [""; 0]);
    }

    #[test]
    fn large_objects_count_too() {
        let with = |count| Census {
            large_objects: LargeObjectCensus { count, ..LargeObjectCensus::default() },
            ..Census::default()
        };
        let said: Vec<String> = lost(&with(2_000), &with(7), &Rule::default()).iter().map(Loss::in_words).collect();
        assert_eq!(said, ["the database has 7 large objects, where it had 2,000 large objects"]);
    }
}
