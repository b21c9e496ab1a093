//! Which table of one census is which of another. Bytes that aren't UTF-8 all show as U+FFFD, so that several tables may
//! have one name: each finds the one with its content, and what is left over goes by the order in which it stands.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::census::TableCensus;

/// Two lists of tables, brought together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairs<'a, T> {
    /// Every one of the first list, in its order, with its like in the second.
    pub first: Vec<(&'a T, Option<&'a T>)>,
    /// Those of the second list that the first lacks, in their order.
    pub only_second: Vec<&'a T>,
}

/// Pairs the tables of two lists by name, equal ones first. No table is in two pairs.
pub fn pairs<'a, T>(first: &'a [T], second: &'a [T], census: impl Fn(&'a T) -> &'a TableCensus) -> Pairs<'a, T> {
    let mut equal: HashMap<&TableCensus, VecDeque<usize>> = HashMap::new();
    for (at, table) in second.iter().enumerate() {
        equal.entry(census(table)).or_default().push_back(at);
    }
    let found: Vec<Option<usize>> =
        first.iter().map(|table| equal.get_mut(census(table)).and_then(VecDeque::pop_front)).collect();
    let taken: HashSet<usize> = found.iter().flatten().copied().collect();
    let mut named: HashMap<(&str, &str), VecDeque<&'a T>> = HashMap::new();
    for (_, table) in second.iter().enumerate().filter(|(at, _)| !taken.contains(at)) {
        named.entry(name(census(table))).or_default().push_back(table);
    }
    let mut like = |(table, found): (&'a T, Option<usize>)| {
        let of_its_name = || named.get_mut(&name(census(table))).and_then(VecDeque::pop_front);
        (table, found.and_then(|at| second.get(at)).or_else(of_its_name))
    };
    let first = first.iter().zip(found).map(&mut like).collect();
    let left: HashSet<*const T> = named.into_values().flatten().map(std::ptr::from_ref).collect();
    let only_second = second.iter().filter(|table| left.contains(&std::ptr::from_ref(*table))).collect();
    Pairs { first, only_second }
}

fn name(table: &TableCensus) -> (&str, &str) {
    (&table.schema, &table.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, rows: u64) -> TableCensus {
        TableCensus { schema: "public".into(), name: name.into(), rows: Some(rows), ..TableCensus::default() }
    }

    fn paired(first: &[(&str, u64)], second: &[(&str, u64)]) -> (Vec<Option<u64>>, Vec<u64>) {
        let [first, second] =
            [first, second].map(|all| all.iter().map(|(name, rows)| table(name, *rows)).collect::<Vec<TableCensus>>());
        let pairs = pairs(&first, &second, |table| table);
        let found = pairs.first.iter().map(|(_, found)| found.and_then(|found| found.rows)).collect();
        (found, pairs.only_second.iter().filter_map(|table| table.rows).collect())
    }

    #[test]
    fn tables_of_one_name_each_find_their_equal_whatever_the_order() {
        let two = [("t\u{fffd}", 5), ("t\u{fffd}", 2)];
        assert_eq!(paired(&two, &two), (vec![Some(5), Some(2)], vec![]));
        assert_eq!(paired(&two, &[two[1], two[0]]), (vec![Some(5), Some(2)], vec![]));
        assert_eq!(paired(&two, &[("t\u{fffd}", 2), ("t\u{fffd}", 4)]), (vec![Some(4), Some(2)], vec![]));
    }

    #[test]
    fn one_more_and_one_less_of_a_name_are_left_over() {
        let two = [("t\u{fffd}", 5), ("t\u{fffd}", 5)];
        assert_eq!(paired(&two, &two[..1]), (vec![Some(5), None], vec![]));
        assert_eq!(paired(&two[..1], &two), (vec![Some(5)], vec![5]));
        assert_eq!(paired(&[("a", 1)], &[("b", 1)]), (vec![None], vec![1]));
    }
}
