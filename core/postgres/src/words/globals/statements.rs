//! A script of `pg_dumpall`, cut into its statements.

/// The statements without comments, and without psql's own commands, which stand on a line of their own.
pub(super) fn statements(sql: &str) -> Vec<String> {
    let (mut statements, mut statement) = (Vec::new(), String::new());
    let mut letters = sql.chars().peekable();
    let mut before = '\n';
    while let Some(letter) = letters.next() {
        match letter {
            '-' if letters.peek() == Some(&'-') => while letters.next_if(|next| *next != '\n').is_some() {},
            '\\' if before == '\n' => while letters.next_if(|next| *next != '\n').is_some() {},
            ';' => statements.push(std::mem::take(&mut statement)),
            '\'' | '"' => {
                let escapes = letter == '\'' && ends_in_e(&statement);
                statement.push(letter);
                copy_quoted(&mut letters, &mut statement, letter, escapes);
            }
            letter => statement.push(letter),
        }
        before = letter;
    }
    statements.push(statement);
    statements.retain(|statement| !statement.trim().is_empty());
    statements
}

/// The text that begins is one with backslashes: `E'…'`.
fn ends_in_e(statement: &str) -> bool {
    let mut letters = statement.chars().rev();
    letters.next() == Some('E') && letters.next().is_none_or(|before| !before.is_alphanumeric() && before != '_')
}

/// Up to the quote that closes it. A doubled one closes one text and begins another, which comes to the same.
fn copy_quoted(letters: &mut std::iter::Peekable<std::str::Chars<'_>>, into: &mut String, quote: char, escapes: bool) {
    while let Some(letter) = letters.next() {
        into.push(letter);
        if letter == '\\' && escapes {
            into.extend(letters.next());
        } else if letter == quote {
            match letters.next_if_eq(&quote) {
                Some(doubled) => into.push(doubled),
                None => return,
            }
        }
    }
}
