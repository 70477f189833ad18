//! CSV as RFC 4180 has it, for people who open it in a spreadsheet.

/// Its media type.
pub const CSV: &str = "text/csv; charset=utf-8; header=present";

/// Characters that make a spreadsheet read a cell as a formula when they come first.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// One record: fields in quotes where that is needed, and an apostrophe before what would be a formula.
pub fn record<'text>(fields: impl IntoIterator<Item = &'text str>) -> String {
    let fields: Vec<String> = fields.into_iter().map(field).collect();
    format!("{}\r\n", fields.join(","))
}

fn field(text: &str) -> String {
    let harmless = if text.starts_with(FORMULA) { format!("'{text}") } else { text.to_owned() };
    if harmless.contains(['"', ',', '\r', '\n']) {
        return format!("\"{}\"", harmless.replace('"', "\"\""));
    }
    harmless
}

#[cfg(test)]
mod tests {
    use super::record;

    #[test]
    fn fields_are_quoted_and_no_formula_survives() {
        for (field, written) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("a\r\nb", "\"a\r\nb\""),
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-2,3", "\"'-2,3\""),
            ("\tx", "'\tx"),
            ("\rx", "\"'\rx\""),
            ("", ""),
        ] {
            assert_eq!(record([field]), format!("{written}\r\n"), "{field:?}");
        }
        assert_eq!(record(["a", "b"]), "a,b\r\n");
    }
}
