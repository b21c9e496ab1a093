//! Partitions by ranges of texts, which another locale may cut elsewhere.

/// Types that are compared by a locale.
const TEXTS: [&str; 5] = ["text", "character", "citext", "public.citext", "name"];

/// Whether a table with this definition is parted by ranges of texts: one of the columns of its key is one, as `pg_dump` writes it, and has no
/// order of its own (`COLLATE`). Of an expression that isn't known, and it counts as one.
#[must_use]
pub fn goes_by_text(definition: &str) -> bool {
    let Some((table, key)) = definition.rsplit_once(")\nPARTITION BY RANGE (") else { return false };
    let key = key.trim_end().trim_end_matches(';').trim_end_matches(')');
    if key.contains('(') {
        return true;
    }
    let is_text = |column: &str| {
        let begins = |line: &&str| line.strip_prefix(column).is_some_and(|rest| rest.starts_with(' '));
        let line = table.lines().map(str::trim_start).find(begins);
        let r#type = line.and_then(|line| line.get(column.len()..)).map(str::trim_start);
        r#type.is_none_or(|r#type| {
            let has_own = r#type.contains(" COLLATE ");
            let is_end = |letter: char| !letter.is_alphanumeric() && letter != '_';
            let is =
                |text: &str| r#type.strip_prefix(text).is_some_and(|rest| rest.is_empty() || rest.starts_with(is_end));
            !has_own && TEXTS.iter().any(|text| is(text))
        })
    };
    key.split(", ").filter(|column| !column.contains(" COLLATE ")).any(is_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_texts_is_told() {
        let table =
            |columns: &str, key: &str| format!("CREATE TABLE public.t (\n{columns}\n)\nPARTITION BY RANGE ({key});\n");
        let columns = "    id integer NOT NULL,\n    k text,\n    v character varying(9),\n    c text COLLATE pg_catalog.\"C\",\n    \"od d\" text,\n    textual integer";
        for key in ["k", "id, v", "\"od d\"", "lower(k)", "k, c"] {
            assert!(goes_by_text(&table(columns, key)), "{key}");
        }
        for key in ["id", "c", "k COLLATE \"C\"", "id, textual"] {
            assert!(!goes_by_text(&table(columns, key)), "{key}");
        }
        assert!(!goes_by_text("CREATE TABLE t (\n    k text\n)\nPARTITION BY LIST (k);\n"));
        assert!(!goes_by_text("CREATE TABLE t (\n    k text\n);\n"));
    }
}
