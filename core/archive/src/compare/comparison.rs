//! Pairing the entries of two tables of contents.

use std::collections::{BTreeMap, HashMap};

use super::outline::{About, Item, Key, LargeObject, Outline};
use crate::Described;

/// Bytes of texts that are kept of entries without an equal. Of what comes after, it is only said that it differs.
const MOST_KEPT: usize = 128 << 20;

/// A table of contents that another one, which comes entry by entry, is compared with.
#[derive(Debug)]
pub struct Comparison {
    original: Outline,
    /// The original's entries without an equal so far, as indices.
    open: HashMap<Key, Vec<usize>>,
    copy: Outline,
    /// Of each of the copy's items, the original's that equals it.
    equals: Vec<Option<usize>>,
    /// The copy's entries without an equal, by their index.
    unequal: BTreeMap<usize, Described>,
    kept: usize,
}

/// What two tables of contents came to.
#[derive(Debug, Default)]
pub struct Compared {
    /// Values of sequences that are equal.
    pub sequences: u64,
    /// All other entries that are equal, those of tables' rows left out.
    pub definitions: u64,
    /// What has no equal.
    pub pairs: Vec<Pair>,
    /// Large objects whose owner or privileges differ, or that are on one side alone.
    pub large_objects: Vec<u32>,
    /// Large objects whose comment or label differs.
    pub large_objects_texts: Vec<u32>,
    /// The entries about the database itself: the original's, and the copy's.
    pub database: (Vec<Described>, Vec<Described>),
}

/// An entry of each archive of the same kind and name that differ, or one that only one of them has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pair {
    /// The original's entry: its number in its archive, where its texts can be read again.
    pub original: Option<i32>,
    /// The copy's.
    pub copy: Option<Described>,
}

impl Comparison {
    /// With the table of contents that was restored.
    #[must_use]
    pub fn new(original: Outline) -> Self {
        let mut open: HashMap<Key, Vec<usize>> = HashMap::new();
        for (at, item) in original.items.iter().enumerate().rev() {
            open.entry(item.key.clone()).or_default().push(at);
        }
        let (copy, equals, unequal) = (Outline::default(), Vec::new(), BTreeMap::new());
        Self { original, open, copy, equals, unequal, kept: 0 }
    }

    /// The next entry of the one that was dumped from what was restored.
    pub fn add(&mut self, entry: Described) {
        let Some(entry) = self.copy.sort(entry) else { return };
        let equal = self.copy.items.last().and_then(|item| take_equal(&mut self.open, &self.original.items, item));
        if equal.is_none() {
            self.keep(entry);
        }
        self.equals.push(equal);
    }

    fn keep(&mut self, mut entry: Described) {
        if self.kept.saturating_add(entry.definition.len()) > MOST_KEPT {
            (entry.definition, entry.is_cut) = (Vec::new(), true);
        }
        self.kept += entry.definition.len();
        self.unequal.insert(self.equals.len(), entry);
    }

    /// What came of it, once all entries of both have come.
    #[must_use]
    pub fn finish(mut self) -> Compared {
        let differing = differing(&mut self.original.large_objects, &mut self.copy.large_objects);
        let (rights, texts): (Vec<LargeObject>, Vec<LargeObject>) =
            differing.into_iter().partition(|object| matches!(object.about, About::Owner | About::Privileges));
        let mut compared =
            Compared { large_objects: numbers(rights), large_objects_texts: numbers(texts), ..Compared::default() };
        self.count(&mut compared);
        self.pair(&mut compared.pairs);
        compared.database = (self.original.database, self.copy.database);
        compared
    }

    fn count(&self, compared: &mut Compared) {
        let equal = self.copy.items.iter().zip(&self.equals).filter(|(_, original)| original.is_some());
        for (item, _) in equal {
            match &*item.key.0 {
                "SEQUENCE SET" => compared.sequences += 1,
                "TABLE DATA" | "BLOBS" => {}
                _ => compared.definitions += 1,
            }
        }
    }

    /// Those without an equal, with the one of the same name on the other side, where there is one.
    fn pair(&mut self, pairs: &mut Vec<Pair>) {
        let copies = std::mem::take(&mut self.unequal);
        for (at, copy) in copies {
            let key = self.copy.items.get(at).map(|item| &item.key);
            let original = key.and_then(|key| self.open.get_mut(key)?.pop());
            let original = original.and_then(|at| self.original.items.get(at)).map(|item| item.dump_id);
            pairs.push(Pair { original, copy: Some(copy) });
        }
        let mut left: Vec<usize> = self.open.values().flatten().copied().collect();
        left.sort_unstable();
        let left = left.into_iter().filter_map(|at| self.original.items.get(at));
        pairs.extend(left.map(|item| Pair { original: Some(item.dump_id), ..Pair::default() }));
    }
}

/// The original's item that equals this one, which is then taken.
fn take_equal(open: &mut HashMap<Key, Vec<usize>>, items: &[Item], item: &Item) -> Option<usize> {
    let candidates = open.get_mut(&item.key)?;
    let at = candidates.iter().rposition(|at| items.get(*at).is_some_and(|other| other.print == item.print))?;
    Some(candidates.remove(at))
}

fn numbers(objects: Vec<LargeObject>) -> Vec<u32> {
    let mut numbers: Vec<u32> = objects.into_iter().map(|object| object.oid).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// What isn't the same on both sides.
fn differing(originals: &mut [LargeObject], copies: &mut [LargeObject]) -> Vec<LargeObject> {
    originals.sort_unstable();
    copies.sort_unstable();
    let (mut differ, mut copies) = (Vec::new(), copies.iter().peekable());
    for original in originals.iter() {
        while let Some(copy) = copies.next_if(|copy| *copy < original) {
            differ.push(*copy);
        }
        if copies.next_if_eq(&original).is_none() {
            differ.push(*original);
        }
    }
    differ.extend(copies);
    differ
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(dump_id: i32, kind: &str, name: &str, definition: &str) -> Described {
        Described {
            dump_id,
            kind: kind.to_owned(),
            schema: b"public".to_vec(),
            name: name.as_bytes().to_vec(),
            definition: definition.as_bytes().to_vec(),
            ..Described::default()
        }
    }

    fn compare(originals: Vec<Described>, copies: Vec<Described>) -> Compared {
        let mut outline = Outline::default();
        originals.into_iter().for_each(|entry| outline.add(entry));
        let mut comparison = Comparison::new(outline);
        copies.into_iter().for_each(|entry| comparison.add(entry));
        comparison.finish()
    }

    #[test]
    fn the_same_entries_are_equal_in_any_order_under_any_number() {
        let original =
            vec![entry(1, "TABLE", "a", "x"), entry(2, "OPERATOR", "+", "a"), entry(3, "OPERATOR", "+", "b")];
        let copy = vec![entry(7, "OPERATOR", "+", "b"), entry(8, "TABLE", "a", "x"), entry(9, "OPERATOR", "+", "a")];
        let compared = compare(original, copy);
        assert_eq!((compared.definitions, compared.pairs), (3, Vec::new()));
    }

    #[test]
    fn what_differs_is_paired_by_its_name_and_what_is_missing_stands_alone() {
        let original =
            vec![entry(1, "TABLE", "a", "x"), entry(2, "TABLE", "b", "x"), entry(3, "SEQUENCE SET", "s", "1")];
        let changed = entry(4, "TABLE", "a", "y");
        let copy = vec![changed.clone(), entry(5, "VIEW", "new", "v"), entry(6, "SEQUENCE SET", "s", "1")];
        let compared = compare(original, copy);
        assert_eq!((compared.definitions, compared.sequences), (0, 1));
        let sides: Vec<_> = compared.pairs.iter().map(|p| (p.original, p.copy.as_ref().map(|c| c.dump_id))).collect();
        assert_eq!(sides, [(Some(1), Some(4)), (None, Some(5)), (Some(2), None)]);
        assert_eq!(compared.pairs[0].copy, Some(changed));
    }

    #[test]
    fn large_objects_are_named_by_their_number() {
        let blob =
            |oid: &str, owner: &str| Described { owner: owner.into(), schema: Vec::new(), ..entry(1, "BLOB", oid, "") };
        let about = |oid: &str, sql: &str| entry(2, "ACL", &format!("LARGE OBJECT {oid}"), sql);
        let original = vec![blob("10", "app"), blob("11", "app"), about("10", "GRANT"), blob("12", "app")];
        let copy = vec![blob("11", "app"), about("10", "REVOKE"), blob("10", "app"), blob("13", "app")];
        assert_eq!(compare(original, copy).large_objects, [10, 12, 13]);
    }
}
