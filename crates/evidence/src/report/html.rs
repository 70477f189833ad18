//! Writing HTML of which every text is escaped: there is no way to put markup in through a value.

/// A part of a page.
#[derive(Default)]
pub struct Html(String);

impl Html {
    /// One element with a text. Name and class are ours, the text may be anybody's.
    pub fn text(&mut self, element: &'static str, class: &'static str, text: &str) {
        self.open(element, class);
        self.0.push_str(&escaped(text));
        self.close(element);
    }

    /// Names with their values.
    pub fn facts(&mut self, rows: &[(&'static str, String)]) {
        self.open("dl", "");
        for (name, value) in rows {
            self.text("dt", "", name);
            self.text("dd", "", value);
        }
        self.close("dl");
    }

    /// A table; nothing when it has no rows.
    pub fn table(&mut self, headings: &[&'static str], rows: Vec<Vec<String>>) {
        if rows.is_empty() {
            return;
        }
        self.0.push_str("<div class=\"scroll\">");
        self.open("table", "");
        self.open("tr", "");
        for heading in headings {
            self.text("th", "", heading);
        }
        self.close("tr");
        for row in rows {
            self.open("tr", "");
            for cell in row {
                self.text("td", "", &cell);
            }
            self.close("tr");
        }
        self.close("table");
        self.0.push_str("</div>\n");
    }

    /// A list.
    pub fn list(&mut self, items: &[String]) {
        self.open("ul", "");
        for item in items {
            self.text("li", "", item);
        }
        self.close("ul");
    }

    /// The markup.
    pub fn finish(self) -> String {
        self.0
    }

    fn open(&mut self, element: &'static str, class: &'static str) {
        self.0.push('<');
        self.0.push_str(element);
        if !class.is_empty() {
            self.0.push_str(" class=\"");
            self.0.push_str(class);
            self.0.push('"');
        }
        self.0.push('>');
    }

    fn close(&mut self, element: &'static str) {
        self.0.push_str("</");
        self.0.push_str(element);
        self.0.push_str(">\n");
    }
}

/// A text as it may stand between tags and in quoted attributes. Characters that reverse the reading direction or
/// are invisible are shown by their number: a report must not read other than it is.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(character),
            hidden if hidden.is_control() || is_hidden(hidden) => {
                safe.push_str(&format!("[U+{:04X}]", u32::from(hidden)));
            }
            other => safe.push(other),
        }
    }
    safe
}

fn is_hidden(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
